"""The HTML report of result files. `report.html` is the template of its page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from alrakis.bench.record.charts import Chart, Series, group_charts, group_series
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Accuracy, Scenario, Workload
from alrakis.bench.record.statistics import ratio_of
from alrakis.bench.record.tables import Table, accuracy_table, machine_table
from alrakis.files.printable import printable

_SCENARIO_TITLES: dict[Scenario, str] = {
    "latency": "One text",
    "throughput": "Several texts at once",
    "voice": "With a voice",
    "long": "Long audio",
    "cold-start": "From a fresh process",
    "memory": "Memory",
    "accuracy": "Accuracy",
}


@dataclass(frozen=True)
class Lead:
    """The fastest config of a run, compared with the peers.

    peers: the name of each, how many times as fast the config is, and the interval of that ratio.
    """

    machine: str
    target: str
    rtf: str
    real_time: bool
    work: str
    peers: list[tuple[str, str, str]]
    memory: str


@dataclass(frozen=True)
class Section:
    """The charts and tables of one workload, or of workloads that differ only in their batch."""

    title: str
    work: str
    charts: list[Chart]
    tables: list[Table]


def write_report(runs: Sequence[Run]) -> str:
    """The page as HTML that loads nothing else."""
    processors = sorted({run.results.environment.cpu for run in runs})
    source = resources.files("alrakis.bench.record").joinpath("report.html").read_text("utf-8")
    page = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    targets = [(run.label, target) for run in runs for target in run.results.targets]
    return page.from_string(source).render(
        title=f"Bark on {processors[0] if len(processors) == 1 else f'{len(processors)} machines'}",
        runs=runs,
        leads=[lead for run in runs if (lead := _lead(run, len(runs) > 1))],
        sections=list(_sections(runs)),
        machines=machine_table(runs),
        failures=[(label, target.name, target.error) for label, target in targets if target.error],
        notes=[(run.label, note) for run in runs for note in _notes(run)],
        configs=[(label, target) for label, target in targets if target.config],
    )


def _shown(value: Any) -> Any:
    """A value as it stands in the page; markup of our own stays."""
    return printable(value) if type(value) is str else value


def _sections(runs: Sequence[Run]) -> Iterator[Section]:
    for number, group in enumerate(group_series(runs)):
        first = group[0].workload
        charts = group_charts(group, f"chart-{number}")
        if charts:
            yield Section(_SCENARIO_TITLES[first.scenario], _work(first), charts, [])
    parts: dict[tuple[object, ...], list[tuple[str, Accuracy]]] = {}
    works: dict[tuple[object, ...], str] = {}
    for run in runs:
        for part in run.results.accuracy:
            label = part.target + (f" ({run.label})" if len(runs) > 1 else "")
            workload = run.results.workload(part.workload)
            parts.setdefault(workload.identity, []).append((label, part))
            works[workload.identity] = _work(workload)
    for identity, work in works.items():
        yield Section(_SCENARIO_TITLES["accuracy"], work, [], [accuracy_table(parts[identity])])


def _lead(run: Run, several: bool) -> Lead | None:
    """The lead of a run. several: the report has several runs, so it also names this one."""
    groups = (g for g in group_series([run]) if g[0].workload.scenario in ("latency", "long", "voice"))
    group: list[Series] = next(groups, [])
    ours = [series for series in group if series.role == "ours" and series.values("rtf")]
    if not ours:
        return None
    best = min(ours, key=lambda series: series.median("rtf"))
    peers = []
    for peer in group:
        if peer.role == "peer" and peer.values("rtf"):
            ratio = ratio_of(best.values("rtf"), peer.values("rtf"))
            if ratio.verdict == "more" and ratio.interval:
                interval = "{:.3g} to {:.3g}".format(*ratio.interval)
                peers.append((peer.target.name, f"{ratio.value:.3g}", interval))
    rtf = best.median("rtf")
    return Lead(
        machine=run.machine + (f" ({run.label})" if several else ""),
        target=best.target.name,
        rtf=f"{rtf:.3g}",
        real_time=rtf < 1,
        work=_work(best.workload),
        peers=peers,
        memory=best.median_text("memory"),
    )


def _work(workload: Workload) -> str:
    voice = f", voice {workload.voice}" if workload.voice else ""
    return f"{workload.seconds:g} s of audio, {workload.weights}{voice}"


def _notes(run: Run) -> Iterator[str]:
    if not run.results.complete:
        yield "incomplete: it was stopped before its end"
    yield from run.results.notes
