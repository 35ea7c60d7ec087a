"""What a report shows, worked out of result files: sentences, charts, tables. The page is `report.html`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from statistics import median, quantiles

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from alrakis.bench.record.charts import NARROW, STAGE_ROLES, WIDE, Bar, bar_chart
from alrakis.bench.record.runs import METRICS, Run, environment_rows
from alrakis.bench.record.schema import STAGES, Sample, StageName, TargetInfo, Workload
from alrakis.bench.record.statistics import ratio_of

REAL_TIME = (1.0, "real time")
_STAGE_TITLES: dict[StageName, str] = {
    "semantic_prefill": "semantic, prefill",
    "semantic_decode": "semantic, decode",
    "coarse_prefill": "coarse, prefill",
    "coarse_decode": "coarse, decode",
    "fine": "fine",
    "codec": "codec",
}
_REST = "the rest"
_SCENARIOS = {
    "latency": "One text",
    "throughput": "Several texts at once",
    "voice": "With a voice",
    "long": "Long audio",
    "cold-start": "From a fresh process",
    "memory": "Memory",
    "accuracy": "Accuracy",
}


@dataclass(frozen=True)
class Table:
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Chart:
    """wide, narrow: the same drawing for two widths. legend: names with the roles of their colours."""

    title: str
    note: str
    wide: Markup
    narrow: Markup
    table: Table
    legend: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Section:
    """One workload, or workloads that differ in the batch alone."""

    title: str
    work: str
    charts: list[Chart]
    tables: list[Table]


@dataclass(frozen=True)
class Series:
    """The samples of one target of one run in one workload."""

    label: str
    run: Run
    target: TargetInfo
    workload: Workload
    samples: list[Sample]

    def values(self, metric: str) -> list[float]:
        return [value for value in map(METRICS[metric].value, self.samples) if value]

    @property
    def role(self) -> str:
        return "ours" if self.target.kind == "alrakis" else "peer"


def write_report(runs: Sequence[Run]) -> str:
    """The page: HTML that needs nothing else."""
    machines = sorted({run.results.environment.cpu for run in runs})
    source = resources.files("alrakis.bench.record").joinpath("report.html").read_text("utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return page.from_string(source).render(
        title=f"Bark on {machines[0]}" if len(machines) == 1 else f"Bark on {len(machines)} machines",
        runs=runs,
        leads=[lead for run in runs if (lead := _lead(run, len(runs) > 1))],
        sections=list(_sections(runs)),
        machines=Table(
            ["", *(run.label for run in runs)], [[t, *cells] for t, cells in environment_rows(runs)]
        ),
        failures=[
            (run.label, one.name, one.error) for run in runs for one in run.results.targets if one.error
        ],
        notes=[(run.label, note) for run in runs for note in _notes(run)],
        configs=[(run.label, one) for run in runs for one in run.results.targets if one.config],
    )


def _sections(runs: Sequence[Run]) -> Iterator[Section]:
    for number, group in enumerate(_groups(runs)):
        first = group[0].workload
        drawn = [chart for draw in _charts(first) if (chart := draw(group, f"chart-{number}"))]
        if drawn:
            yield Section(_SCENARIOS[first.scenario], _work(first), drawn, [])
    for workload, table in _accuracy(runs):
        yield Section(_SCENARIOS["accuracy"], _work(workload), [], [table])


def _groups(runs: Sequence[Run]) -> list[list[Series]]:
    """Series of the same work, that of different batches together, in the order of the first file."""
    groups: dict[tuple[object, ...], list[Series]] = {}
    several = len(runs) > 1
    for run in runs:
        for workload in run.results.workloads:
            for target in run.results.targets:
                samples = run.results.taken(workload.name, target.name)
                if samples:
                    label = target.name
                    label += f", {workload.batch} at once" if workload.scenario == "throughput" else ""
                    label += f" ({run.label})" if several else ""
                    series = Series(label, run, target, workload, samples)
                    groups.setdefault(workload.identity[:-1], []).append(series)
    for group in groups.values():
        group.sort(key=lambda series: (runs.index(series.run), _place(series), series.workload.batch))
    return list(groups.values())


def _place(series: Series) -> int:
    return series.run.results.targets.index(series.target)


def _charts(workload: Workload) -> list[Callable[[list[Series], str], Chart | None]]:
    if workload.scenario == "cold-start":
        return [_first_audio]
    if workload.scenario == "memory":
        return [_memory]
    if workload.scenario == "accuracy":
        return []
    return [_rtf, _stages, *([_memory] if workload.scenario == "latency" else [])]


def _rtf(group: list[Series], name: str) -> Chart | None:
    return _figure_chart(
        group,
        f"{name}-rtf",
        "rtf",
        "Seconds of work for a second of audio",
        "RTF: shorter is faster. Left of the line, speech is made faster than it is heard. "
        "The dark stroke spans the middle half of the samples.",
        limit=REAL_TIME,
    )


def _first_audio(group: list[Series], name: str) -> Chart | None:
    return _figure_chart(
        group, f"{name}-ttfa", "ttfa", "Until the first audio", "From the start of a process."
    )


def _memory(group: list[Series], name: str) -> Chart | None:
    return _figure_chart(group, f"{name}-memory", "memory", "Peak memory", "Resident memory of the process.")


def _figure_chart(
    group: list[Series],
    name: str,
    metric: str,
    title: str,
    note: str,
    limit: tuple[float, str] | None = None,
) -> Chart | None:
    """Medians as bars, and all that was measured beside them as a table."""
    shown = [series for series in group if series.values(metric)]
    if not shown:
        return None
    show = METRICS[metric].show
    scale = 1e-6 if "memory" in metric else 1.0
    bars = []
    for series in shown:
        values = series.values(metric)
        spread = None if len(values) < 2 else tuple(scale * value for value in _quartiles(values))
        parts = ((scale * median(values), series.role),)
        bars.append(Bar(series.label, parts, show(median(values)), spread))  # type: ignore[arg-type]
    legend = [(text, role) for text, role in _KINDS if any(series.role == role for series in shown)]
    table = _table(
        [
            ("target", lambda s: s.label),
            (METRICS[metric].title, lambda s: show(median(s.values(metric)))),
            ("middle half", lambda s: " - ".join(show(v) for v in _quartiles(s.values(metric)))),
            ("samples", lambda s: str(len(s.values(metric)))),
            *(_MORE if metric == "rtf" else ()),
        ],
        shown,
    )
    return _chart(title, note, bars, name, table, legend if len(legend) > 1 else [], limit)


def _stages(group: list[Series], name: str) -> Chart | None:
    """Seconds by stage for a second of audio: medians, and what is left of the median of the whole."""
    shown = [series for series in group if any(sample.stages for sample in series.samples)]
    if not shown:
        return None
    lengths = {series.label: _stage_seconds(series) for series in shown}
    used = [n for n in range(len(STAGE_ROLES)) if any(parts[n] for parts in lengths.values())]
    titles = [*(_STAGE_TITLES[stage] for stage in STAGES), _REST]
    bars = [
        Bar(label, tuple((parts[n], STAGE_ROLES[n]) for n in used), f"{sum(parts):.3g}")
        for label, parts in lengths.items()
    ]
    table = Table(
        ["target", *(titles[n] for n in used)],
        [[label, *(f"{parts[n]:.3g}" for n in used)] for label, parts in lengths.items()],
    )
    legend = [(titles[n], STAGE_ROLES[n]) for n in used]
    note = "The same seconds of work, by stage."
    return _chart("Where the time goes", note, bars, f"{name}-stages", table, legend, REAL_TIME)


def _stage_seconds(series: Series) -> list[float]:
    """By stage, and the rest: seconds for a second of audio."""
    made = [sample for sample in series.samples if sample.audio_s]
    if not made:
        return [0.0] * len(STAGE_ROLES)
    parts = [
        median(s.stages[stage].seconds / s.audio_s if stage in s.stages else 0.0 for s in made)
        for stage in STAGES
    ]
    whole = median(sample.wall_s / sample.audio_s for sample in made)
    rest = whole - sum(parts)
    return [*parts, rest if rest > whole / 100 else 0.0]


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


def _table(columns: Sequence[tuple[str, Callable[[Series], str]]], group: Sequence[Series]) -> Table:
    """A row a series; columns with nothing in them are left out."""
    cells = [(title, [show(series) for series in group]) for title, show in columns]
    filled = [(title, column) for title, column in cells if any(column)]
    rows = [list(row) for row in zip(*(column for _, column in filled), strict=True)]
    return Table([title for title, _ in filled], rows)


def _quartiles(values: list[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def _typical(read: Callable[[Sample], float | None], show: Callable[[float], str]) -> Callable[[Series], str]:
    """The median of a figure that not every sample has."""

    def shown(series: Series) -> str:
        found = [value for value in map(read, series.samples) if value is not None]
        return show(median(found)) if found else ""

    return shown


def _joules(sample: Sample) -> float | None:
    return sum(sample.energy_j.values()) / sample.audio_s if sample.energy_j and sample.audio_s else None


_KINDS = (("alrakis", "ours"), ("peers", "peer"))
_MORE: tuple[tuple[str, Callable[[Series], str]], ...] = (
    ("first audio after", _typical(METRICS["ttfa"].value, METRICS["ttfa"].show)),
    ("loaded in", lambda s: "" if s.target.load_s is None else f"{s.target.load_s:.3g} s"),
    ("peak memory", _typical(METRICS["memory"].value, METRICS["memory"].show)),
    ("peak GPU memory", _typical(METRICS["gpu-memory"].value, METRICS["gpu-memory"].show)),
    ("a step reads", _typical(lambda s: s.step_bytes, lambda v: f"{v / 1e6:.0f} MB")),
    ("share of bandwidth", _typical(lambda s: s.bandwidth_share, "{:.0%}".format)),
    ("energy a second of audio", _typical(_joules, "{:.3g} J".format)),
)


def _accuracy(runs: Sequence[Run]) -> Iterator[tuple[Workload, Table]]:
    rows: dict[tuple[object, ...], tuple[Workload, list[list[str]]]] = {}
    for run in runs:
        for one in run.results.accuracy:
            workload = run.results.workload(one.workload)
            label = one.target + (f" ({run.label})" if len(runs) > 1 else "")
            cells = [label, one.part, str(one.positions or "")]
            cells += [_or_nothing(one.top1, "{:.1%}"), _or_nothing(one.kl_mean, "{:.2g}")]
            cells += [_or_nothing(one.kl_max, "{:.2g}"), _or_nothing(one.log_mel_distance_db, "{:.2f} dB")]
            rows.setdefault(workload.identity, (workload, []))[1].append(cells)
    columns = ["target", "part", "draws", "likeliest is fp32's", "KL, mean", "KL, most", "log-mel distance"]
    for workload, found in rows.values():
        yield workload, Table(columns, found)


def _or_nothing(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def _work(workload: Workload) -> str:
    """A workload in a line."""
    voice = f", voice {workload.voice}" if workload.voice else ""
    return f"{workload.seconds:g} s of audio, {workload.weights}{voice}"


@dataclass(frozen=True)
class Lead:
    """What to know at a glance: the fastest config of a run, beside its peers."""

    machine: str
    target: str
    rtf: str
    real_time: bool
    work: str
    peers: list[tuple[str, str, str]]  # name, times as fast, interval
    memory: str


def _lead(run: Run, several: bool) -> Lead | None:
    group = next((g for g in _groups([run]) if g[0].workload.scenario in ("latency", "long", "voice")), [])
    ours = [series for series in group if series.role == "ours" and series.values("rtf")]
    if not ours:
        return None
    best = min(ours, key=lambda series: median(series.values("rtf")))
    values = best.values("rtf")
    peers = []
    for peer in group:
        if peer.role == "peer" and peer.values("rtf"):
            ratio = ratio_of(values, peer.values("rtf"))
            if ratio.verdict == "more" and ratio.low is not None and ratio.high is not None:
                interval = f"{ratio.low:.3g} to {ratio.high:.3g}"
                peers.append((peer.target.name, f"{ratio.value:.3g}", interval))
    machine = run.machine + (f" ({run.label})" if several else "")
    memory = _typical(METRICS["memory"].value, METRICS["memory"].show)(best)
    rtf = median(values)
    return Lead(machine, best.target.name, f"{rtf:.3g}", rtf < 1, _work(best.workload), peers, memory)


def _notes(run: Run) -> Iterator[str]:
    if not run.results.complete:
        yield "incomplete: it was stopped before its end"
    yield from run.results.notes
