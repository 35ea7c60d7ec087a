"""The charts of a report: what each target does on a machine, with the same figures as a table below."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from alrakis.bench.record.bars import Bar, bar_chart
from alrakis.bench.record.drawing import NARROW, WIDE
from alrakis.bench.record.metrics import METRICS, megabytes, rtf_text, times_text
from alrakis.bench.record.names import STAGES
from alrakis.bench.record.plots import Line, Point, line_plot, point_plot
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Sample
from alrakis.bench.record.series import Series, agreement, quickest
from alrakis.bench.record.statistics import quartiles
from alrakis.bench.record.tables import STAGE_TITLES, Table, accuracy_table, median_cell
from alrakis.bench.record.words import ORIGINAL, times_beside

REAL_TIME = (1.0, "real time")
_REST = "the rest"
_HOURS = 2.0  # of speech an hour: from here on it is told in hours
_STAGE_ROLES = ("stage-1", "stage-2", "stage-3", "stage-4", "stage-5", "stage-6", "rest")
_KINDS = [("the fastest config", "best"), ("alrakis", "ours"), ("other programs", "peer")]


@dataclass(frozen=True)
class Chart:
    """wide, narrow: the same drawing in two widths. legend: names, and the roles of their colours."""

    title: str
    note: str
    wide: Markup
    narrow: Markup
    table: Table
    legend: list[tuple[str, str]] = field(default_factory=list)


def speed_chart(group: Sequence[Series]) -> Chart | None:
    """RTF by target, the fastest first, and last those that failed."""
    failed = [series for series in group if not series.samples]
    group = _sorted(group, "rtf")
    if not group:
        return None
    base = next((series for series in group if series.name == ORIGINAL), None)
    best = quickest(group)
    bars = []
    for series in group:
        rtf = series.median("rtf")
        times = times_beside(base, series)
        parts = ((rtf, _role(series, best)),)
        bars.append(Bar(series.name, parts, rtf_text(rtf), times, series.interval("rtf"), series is best))
    bars += [Bar(series.name, (), "failed", series.failure) for series in failed]
    beside = f" Behind it: how many times as fast as {ORIGINAL}." if base and len(group) > 1 else ""
    note = (
        "RTF, seconds of work for a second of speech: shorter is faster, and left of the line speech is made "
        f"faster than it is heard.{beside} The stroke spans the 95% interval of the median."
    )
    table = _table(_SPEED_COLUMNS, [*group, *failed])
    return _chart("Speed", note, bars, table, _legend(group, best), REAL_TIME, "RTF")


def stage_chart(group: Sequence[Series]) -> Chart | None:
    """Seconds of work in each stage for a second of speech, in the order of the speed chart."""
    group = [series for series in _sorted(group, "rtf") if any(sample.stages for sample in series.samples)]
    if not group:
        return None
    seconds = [_stage_seconds(series) for series in group]
    used = [n for n in range(len(_STAGE_ROLES)) if any(stages[n] for stages in seconds)]
    titles = [*STAGE_TITLES.values(), _REST]
    bars = [
        Bar(s.name, tuple((stages[n], _STAGE_ROLES[n]) for n in used), rtf_text(s.median("rtf")))
        for s, stages in zip(group, seconds, strict=True)
    ]
    columns: list[_Column] = [("target", lambda s: s.name), ("RTF", lambda s: s.text("rtf"))]
    table = _table(columns, group)
    rows = [
        [*row, *(f"{stages[n]:.2f}" for n in used)] for row, stages in zip(table.rows, seconds, strict=True)
    ]
    legend = [(titles[n], _STAGE_ROLES[n]) for n in used]
    table = Table([*table.columns, *(titles[n] for n in used)], rows)
    return _chart("Where the time goes", "The same RTF, by stage.", bars, table, legend, REAL_TIME, "RTF")


def choice_chart(run: Run, group: Sequence[Series]) -> Chart | None:
    """RTF against agreement with fp32: what a person chooses between."""
    known = [(s, agrees) for s in _sorted(group, "rtf") if (agrees := agreement(run, s.target)) is not None]
    if sum(series.ours for series, _ in known) < 2:
        return None
    best = quickest([series for series, _ in known])
    points = [Point(s.name, s.median("rtf"), 100 * agrees, _role(s, best), s is best) for s, agrees in known]
    wide, narrow = (
        point_plot(points, width, "RTF, logarithmic", "agreement", REAL_TIME) for width in (WIDE, NARROW)
    )
    labelled = [(part.target, part) for part in run.results.accuracy]
    note = (
        "The higher, the closer to fp32: the share of all draws in which the likeliest token is the same. "
        "The further left, the faster."
    )
    legend = _legend([series for series, _ in known], best)
    return Chart("Speed and agreement", note, wide, narrow, accuracy_table(labelled), legend)


def memory_chart(group: Sequence[Series], metric: str = "memory") -> Chart | None:
    """Peak memory by target, the smallest first."""
    gpu = metric == "gpu-memory"
    title, note = (
        ("Peak GPU memory", "That torch held on the GPU.")
        if gpu
        else (
            "Peak memory",
            "Resident memory of the process.",
        )
    )
    return _plain_chart(group, metric, title, note, 1e-6, "MB")


def start_chart(group: Sequence[Series]) -> Chart | None:
    """Seconds from the start of a process to the first audio."""
    return _plain_chart(group, "ttfa", "Until the first audio", "From the start of a process.", 1.0, "s")


def batch_chart(group: Sequence[Series]) -> Chart | None:
    """How much speech a second is made, by the number of texts at once. group: of one text and of several."""
    lines, rows = [], []
    for name in dict.fromkeys(series.name for series in group if series.ours):
        own = sorted((s for s in group if s.name == name and s.values("rtf")), key=lambda s: s.workload.batch)
        if len({series.workload.batch for series in own}) > 1:
            lines.append(Line(name, [(s.workload.batch, 1 / s.median("rtf")) for s in own], "ours"))
            rows += [_batch_row(series, own[0]) for series in own]
    if not lines:
        return None
    lines.sort(key=lambda line: -line.points[-1][1])
    lines[0] = Line(lines[0].label, lines[0].points, "best")
    x_title, unit = "texts at once", "seconds of speech a second"
    wide, narrow = (line_plot(lines, width, x_title, unit) for width in (WIDE, NARROW))
    columns = ["target", "texts at once", "speech a second", "RTF", "beside one text", "peak memory"]
    note = "Seconds of speech that are made in a second: higher is more, and above 1 is more than is heard."
    return Chart("Several texts at once", note, wide, narrow, Table(columns, rows))


def cost_chart(group: Sequence[Series]) -> Chart | None:
    """How much speech an hour of this machine makes, with the batch that makes most."""
    most: dict[str, Series] = {}
    for series in group:
        if series.values("rtf") and (
            series.name not in most or series.median("rtf") < most[series.name].median("rtf")
        ):
            most[series.name] = series
    ranked = sorted(most.values(), key=lambda series: series.median("rtf"))
    if not ranked:
        return None
    best = quickest(ranked)
    in_hours = 1 / ranked[0].median("rtf") >= _HOURS
    unit, speech = ("h", _hours) if in_hours else ("min", _minutes)
    length = 1 if in_hours else 60
    bars = [
        Bar(s.name, ((length / s.median("rtf"), _role(s, best)),), speech(s), _at_once(s), best=s is best)
        for s in ranked
    ]
    columns: list[_Column] = [
        ("target", lambda s: s.name),
        ("texts at once", lambda s: str(s.workload.batch)),
        ("speech an hour", speech),
        ("machine hours for an hour of speech", lambda s: s.text("rtf")),
        ("energy for a second of speech", lambda s: median_cell(s.samples, _energy, "{:.1f} J".format)),
    ]
    note = (
        f"{'Hours' if in_hours else 'Minutes'} of speech that an hour of this machine makes: longer is more."
    )
    return _chart(
        "What an hour of this machine makes",
        note,
        bars,
        _table(columns, ranked),
        _legend(ranked, best),
        None,
        unit,
    )


def _minutes(series: Series) -> str:
    return f"{60 / series.median('rtf'):.0f} min"


def _hours(series: Series) -> str:
    hours = 1 / series.median("rtf")
    return f"{hours:.{1 if hours < 9.95 else 0}f} h"


def _plain_chart(
    group: Sequence[Series], metric: str, title: str, note: str, scale: float, unit: str
) -> Chart | None:
    """A bar for the median of each series, the smallest first."""
    group = _sorted(group, metric)
    if not group:
        return None
    best = next((series for series in group if series.ours), None)
    bars = []
    for series in group:
        interval = series.interval(metric)
        scaled = (scale * interval[0], scale * interval[1]) if interval else None
        length = scale * series.median(metric)
        bars.append(
            Bar(
                series.name, ((length, _role(series, best)),), series.text(metric), "", scaled, series is best
            )
        )
    columns: list[_Column] = [
        ("target", lambda s: s.name),
        (METRICS[metric].title, lambda s: s.text(metric)),
        ("95% interval", lambda s: _interval(s, metric)),
        ("samples", lambda s: str(len(s.values(metric)))),
    ]
    return _chart(title, note, bars, _table(columns, group), [], None, unit)


def _sorted(group: Sequence[Series], metric: str) -> list[Series]:
    """Those that have the metric, the least first."""
    return sorted((s for s in group if s.values(metric)), key=lambda series: series.median(metric))


def _role(series: Series, best: Series | None) -> str:
    return "best" if series is best else "ours" if series.ours else "peer"


def _legend(group: Sequence[Series], best: Series | None) -> list[tuple[str, str]]:
    roles = {_role(series, best) for series in group}
    return [(text, role) for text, role in _KINDS if role in roles] if len(roles) > 1 else []


def _interval(series: Series, metric: str) -> str:
    interval, text = series.interval(metric), METRICS[metric].text
    return f"{text(interval[0])} - {text(interval[1])}" if interval else ""


def _stage_seconds(series: Series) -> list[float]:
    """Seconds of each stage for a second of audio, and last of the rest: together the median RTF.

    A median of sums is not the sum of medians: the stages' medians share out the RTF.
    """
    samples = [sample for sample in series.samples if sample.audio_s]
    shares = [
        quartiles(
            [s.stages[stage].seconds / s.wall_s if stage in s.stages and s.wall_s else 0.0 for s in samples]
        ).median
        for stage in STAGES
    ]
    rest = max(0.0, 1 - sum(shares))
    shares.append(rest if rest > 0.01 else 0.0)
    whole = sum(shares) or 1.0
    return [series.median("rtf") * share / whole for share in shares]


def _batch_row(series: Series, alone: Series) -> list[str]:
    rtf = series.median("rtf")
    gain = times_text(alone.median("rtf") / rtf)
    return [
        series.name,
        str(series.workload.batch),
        f"{1 / rtf:.2f} s",
        rtf_text(rtf),
        gain,
        series.text("memory"),
    ]


def _at_once(series: Series) -> str:
    return f"{series.workload.batch} at once" if series.workload.batch > 1 else ""


def _chart(
    title: str,
    note: str,
    bars: list[Bar],
    table: Table,
    legend: list[tuple[str, str]],
    limit: tuple[float, str] | None,
    unit: str,
) -> Chart:
    wide, narrow = (bar_chart(bars, width, limit, unit) for width in (WIDE, NARROW))
    return Chart(title, note, wide, narrow, table, legend)


_Column = tuple[str, Callable[[Series], str]]  # a title, and the text of a series


def _table(columns: Sequence[_Column], group: Sequence[Series]) -> Table:
    """A table with a row for each series; columns without any text are left out."""
    cells = [(title, [text(series) for series in group]) for title, text in columns]
    filled = [(title, column) for title, column in cells if any(column)]
    return Table([title for title, _ in filled], list(zip(*(column for _, column in filled), strict=True)))


def _energy(sample: Sample) -> float | None:
    return sum(sample.energy_j.values()) / sample.audio_s if sample.energy_j and sample.audio_s else None


_SPEED_COLUMNS: tuple[_Column, ...] = (
    ("target", lambda s: s.name),
    ("RTF", lambda s: s.text("rtf")),
    ("95% interval", lambda s: _interval(s, "rtf")),
    ("samples", lambda s: str(len(s.values("rtf")) or "")),
    ("first audio after", lambda s: s.text("ttfa")),
    ("loaded in", lambda s: METRICS["load"].text(s.target.load_s) if s.target.load_s and s.samples else ""),
    ("peak memory", lambda s: s.text("memory")),
    ("peak GPU memory", lambda s: s.text("gpu-memory")),
    ("a step reads", lambda s: median_cell(s.samples, lambda sample: sample.step_bytes, megabytes)),
    (
        "share of bandwidth",
        lambda s: median_cell(s.samples, lambda sample: sample.bandwidth_share, "{:.0%}".format),
    ),
    ("energy for a second of speech", lambda s: median_cell(s.samples, _energy, "{:.1f} J".format)),
    ("other work, in cores", lambda s: median_cell(s.samples, lambda one: one.other_cpus, "{:.2f}".format)),
    ("failed", lambda s: s.failure),
)
