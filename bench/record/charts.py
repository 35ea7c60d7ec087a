"""The charts of a report: medians of each target as bars, with the same figures as a table below."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from alrakis.bench.record.bars import NARROW, STAGE_ROLES, WIDE, Bar, bar_chart
from alrakis.bench.record.metrics import METRICS, megabytes
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import STAGES, Sample, TargetInfo, Workload
from alrakis.bench.record.statistics import quartiles
from alrakis.bench.record.tables import STAGE_TITLES, Table, median_cell

REAL_TIME = (1.0, "real time")
_REST = "the rest"
_ROLES = {"ours": "alrakis", "peer": "peers"}


@dataclass(frozen=True)
class Chart:
    """wide, narrow: the same drawing in two widths. legend: names, and the roles of their colours."""

    title: str
    note: str
    wide: Markup
    narrow: Markup
    table: Table
    legend: list[tuple[str, str]]


@dataclass(frozen=True)
class Series:
    """The samples of one target in one workload of one run."""

    label: str
    run: Run
    target: TargetInfo
    workload: Workload
    samples: list[Sample]

    def values(self, metric: str) -> list[float]:
        return self.run.values(self.workload.name, self.target.name, metric)

    def median(self, metric: str) -> float:
        return quartiles(self.values(metric)).median

    def median_text(self, metric: str) -> str:
        """The median of a metric as text; empty if it was not measured."""
        return median_cell(self.samples, METRICS[metric].value, METRICS[metric].text)

    @property
    def role(self) -> str:
        """The role of its colour: `ours` or `peer`."""
        return "ours" if self.target.kind == "alrakis" else "peer"


def group_series(runs: Sequence[Run]) -> list[list[Series]]:
    """The series of all runs, grouped by work; workloads that differ only in their batch are one group.

    Groups are in the order of the workloads; within a group, series are ordered by run, target and batch.
    """
    groups: dict[tuple[object, ...], list[Series]] = {
        workload.identity[:-1]: [] for run in runs for workload in run.results.workloads
    }
    for run in runs:
        for target in run.results.targets:
            for workload in sorted(run.results.workloads, key=lambda workload: workload.batch):
                samples = run.results.samples_of(workload.name, target.name)
                if samples:
                    label = target.name
                    label += f", {workload.batch} at once" if workload.scenario == "throughput" else ""
                    label += f" ({run.label})" if len(runs) > 1 else ""
                    series = Series(label, run, target, workload, samples)
                    groups[workload.identity[:-1]].append(series)
    return [group for group in groups.values() if group]


def group_charts(group: list[Series], name: str) -> list[Chart]:
    """The charts of one group. name: unique in the page; every id in the charts starts with it."""
    memory = ("memory", "Peak memory", "Resident memory of the process.")
    scenario = group[0].workload.scenario
    if scenario == "accuracy":
        charts = []
    elif scenario == "cold-start":
        charts = [_metric_chart(group, name, "ttfa", "Until the first audio", "From the start of a process.")]
    elif scenario == "memory":
        charts = [_metric_chart(group, name, *memory)]
    else:
        note = (
            "RTF: shorter is faster. Left of the line, speech is made faster than it is heard. "
            "The dark stroke spans the middle half of the samples."
        )
        charts = [
            _metric_chart(group, name, "rtf", "Seconds of work for a second of audio", note, REAL_TIME),
            _stage_chart(group, name),
            _metric_chart(group, name, *memory) if scenario == "latency" else None,
        ]
    return [chart for chart in charts if chart]


def _metric_chart(
    group: list[Series],
    name: str,
    metric: str,
    title: str,
    note: str,
    limit: tuple[float, str] | None = None,
) -> Chart | None:
    """A bar for the median of each series. limit: as in `bar_chart`."""
    group = [series for series in group if series.values(metric)]
    if not group:
        return None
    scale = 1e-6 if metric == "memory" else 1.0
    bars = []
    for series in group:
        values = series.values(metric)
        q1, median, q3 = (scale * value for value in quartiles(values))
        spread = (q1, q3) if len(values) > 1 else None
        bars.append(Bar(series.label, ((median, series.role),), _median(series, metric), spread))
    roles = {series.role for series in group}
    legend = [(text, role) for role, text in _ROLES.items() if role in roles] if len(roles) > 1 else []
    columns: list[_Column] = [
        ("target", lambda s: s.label),
        (METRICS[metric].title, lambda s: _median(s, metric)),
        ("middle half", lambda s: _middle_half(s, metric)),
        ("samples", lambda s: str(len(s.values(metric)))),
        *(_FURTHER_COLUMNS if metric == "rtf" else ()),
    ]
    return _chart(title, note, bars, f"{name}-{metric}", _table(columns, group), legend, limit)


def _median(series: Series, metric: str) -> str:
    return METRICS[metric].text(series.median(metric))


def _middle_half(series: Series, metric: str) -> str:
    q1, _, q3 = quartiles(series.values(metric))
    return f"{METRICS[metric].text(q1)} - {METRICS[metric].text(q3)}"


def _stage_chart(group: list[Series], name: str) -> Chart | None:
    """Bars of the seconds that each stage takes for a second of audio."""
    group = [series for series in group if any(sample.stages for sample in series.samples)]
    if not group:
        return None
    seconds = {series.label: _stage_seconds(series) for series in group}
    used = [n for n in range(len(STAGE_ROLES)) if any(stages[n] for stages in seconds.values())]
    titles = [*STAGE_TITLES.values(), _REST]
    bars = [
        Bar(label, tuple((stages[n], STAGE_ROLES[n]) for n in used), f"{sum(stages):.3g}")
        for label, stages in seconds.items()
    ]
    table = Table(
        ["target", *(titles[n] for n in used)],
        [[label, *(f"{stages[n]:.3g}" for n in used)] for label, stages in seconds.items()],
    )
    legend = [(titles[n], STAGE_ROLES[n]) for n in used]
    note = "The same seconds of work, by stage."
    return _chart("Where the time goes", note, bars, f"{name}-stages", table, legend, REAL_TIME)


def _stage_seconds(series: Series) -> list[float]:
    """Median seconds of each stage for a second of audio, and last the rest of the whole call's."""
    samples = [sample for sample in series.samples if sample.audio_s]
    if not samples:
        return [0.0] * len(STAGE_ROLES)
    stages = [
        quartiles([s.stages[stage].seconds / s.audio_s if stage in s.stages else 0.0 for s in samples]).median
        for stage in STAGES
    ]
    whole = quartiles([sample.wall_s / sample.audio_s for sample in samples]).median
    rest = whole - sum(stages)
    return [*stages, rest if rest > whole / 100 else 0.0]


def _chart(
    title: str,
    note: str,
    bars: list[Bar],
    name: str,
    table: Table,
    legend: list[tuple[str, str]],
    limit: tuple[float, str] | None,
) -> Chart:
    wide, narrow = (Markup(bar_chart(bars, width, f"{name}-{width}", limit)) for width in (WIDE, NARROW))
    return Chart(title, note, wide, narrow, table, legend)


_Column = tuple[str, Callable[[Series], str]]  # a title, and the text of a series


def _table(columns: Sequence[_Column], group: Sequence[Series]) -> Table:
    """A table with a row for each series; columns without any text are left out."""
    cells = [(title, [text(series) for series in group]) for title, text in columns]
    filled = [(title, column) for title, column in cells if any(column)]
    return Table([title for title, _ in filled], list(zip(*(column for _, column in filled), strict=True)))


def _energy(sample: Sample) -> float | None:
    return sum(sample.energy_j.values()) / sample.audio_s if sample.energy_j and sample.audio_s else None


_FURTHER_COLUMNS: tuple[_Column, ...] = (
    ("first audio after", lambda s: s.median_text("ttfa")),
    ("loaded in", lambda s: "" if s.target.load_s is None else f"{s.target.load_s:.3g} s"),
    ("peak memory", lambda s: s.median_text("memory")),
    ("peak GPU memory", lambda s: s.median_text("gpu-memory")),
    ("a step reads", lambda s: median_cell(s.samples, lambda sample: sample.step_bytes, megabytes)),
    (
        "share of bandwidth",
        lambda s: median_cell(s.samples, lambda sample: sample.bandwidth_share, "{:.0%}".format),
    ),
    ("energy a second of audio", lambda s: median_cell(s.samples, _energy, "{:.3g} J".format)),
)
