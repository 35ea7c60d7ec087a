"""The HTML report of result files: one page that needs nothing else.

`report.html` is its template, `report.css` its style sheet, `report.js` what sorts and filters its tables.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from alrakis.bench.record import charts
from alrakis.bench.record.charts import Chart
from alrakis.bench.record.names import Scenario
from alrakis.bench.record.overview import (
    Machine,
    fastest_chart,
    machines_of,
    one_run_each,
    overview_table,
    overview_words,
)
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import TargetInfo, Workload
from alrakis.bench.record.series import Series, group_series, is_exact, lead_group
from alrakis.bench.record.tables import Table, machine_table
from alrakis.bench.record.words import machine_words, model_words, work_words
from alrakis.files.printable import printable

_WHOLE = 24  # letters: longer words are broken, or a phone would have to scroll sideways
_OPEN = 2  # so many machines are shown at once; of more, each is opened by its reader
_SCENARIO_TITLES: dict[Scenario, str] = {
    "latency": "One text",
    "throughput": "Several texts at once",
    "voice": "With a voice",
    "long": "Long speech",
    "cold-start": "From a fresh process",
    "memory": "Memory",
    "accuracy": "Accuracy",
}


@dataclass(frozen=True)
class Part:
    """The charts of some work on one machine."""

    title: str
    work: str
    charts: list[Chart]


@dataclass(frozen=True)
class Section:
    """One machine: what it is, and all that was measured on it."""

    machine: Machine
    parts: list[Part]
    facts: Table
    trades: Table
    configs: list[TargetInfo]
    failures: list[tuple[str, str]]
    notes: list[str]


def write_report(runs: Sequence[Run]) -> str:
    """The page as HTML. It loads nothing, and no script runs in it but its own."""
    page = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    page.filters["whole"] = _whole
    machines = machines_of(runs)
    script, style = _file("report.js"), _file("report.css")
    return page.from_string(_file("report.html")).render(
        title=_title(machines),
        machines=machines,
        overview=overview_table(machines) if len(machines) > 1 else None,
        words=overview_words(machines),
        one_run_each=one_run_each(machines),
        fastest=fastest_chart(machines) if len(machines) > 1 else None,
        sections=[_section(machine) for machine in machines],
        open=len(machines) <= _OPEN,
        style=Markup(style),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _file(name: str) -> str:
    return resources.files("alrakis.bench.record").joinpath(name).read_text("utf-8")


def _shown(value: Any) -> Any:
    """A value as it stands in the page; markup of our own stays."""
    return printable(value) if type(value) is str else value


def _whole(text: str) -> Markup:
    """Text whose names with hyphens, and numbers with their units, are not broken at the ends of lines."""
    shown = printable(text)  # first: to it a space that does not break is a space
    shown = re.sub(
        r"(\d) (?=(?:s|min|MB|cores?|samples?|texts|frames|tokens)\b)", "\\1\N{NO-BREAK SPACE}", shown
    )
    words = (
        Markup('<span class="whole">{}</span>' if "-" in word and len(word) <= _WHOLE else "{}").format(word)
        for word in shown.split(" ")
    )
    return Markup(" ").join(words)


def _title(machines: Sequence[Machine]) -> str:
    weights = {lead.workload.weights for machine in machines for lead in machine.lead}
    models = sorted({model_words(name) for name in weights})
    model = models[0] if len(models) == 1 else "Bark"
    places = {machine.run.machine: machine_words(machine.run.results.environment) for machine in machines}
    where = f"{len(places)} machines" if len(places) > 1 else next(iter(places.values()))
    if len(places) == 1 < len(machines):
        where += f", {len(machines)} runs"
    return f"{model[0].upper()}{model[1:]} on {where}"


def _section(machine: Machine) -> Section:
    results = machine.run.results
    targets = results.targets
    return Section(
        machine=machine,
        parts=list(_parts(machine.run)),
        facts=machine_table([machine.run]),
        trades=_trades(targets),
        configs=[target for target in targets if target.config],
        failures=[(target.name, target.error) for target in targets if target.error],
        notes=list(results.notes),
    )


def _parts(run: Run) -> Iterator[Part]:
    """What was measured, the most telling work first: it has all charts, the others only their own."""
    groups = group_series(run)
    lead = lead_group(groups)
    if lead:
        found = [
            charts.speed_chart(lead),
            charts.choice_chart(run, lead),
            charts.stage_chart(lead),
            charts.memory_chart(_of(groups, "memory") or lead),
            charts.memory_chart(lead, "gpu-memory"),
        ]
        yield _part(lead[0].workload, found)
    for group in groups:
        scenario = group[0].workload.scenario
        if group is not lead and scenario in ("voice", "long", "latency"):
            yield _part(group[0].workload, [charts.speed_chart(group)])
    alike = _of(groups, "latency") + _of(groups, "throughput")
    if _of(groups, "throughput"):
        yield _part(_of(groups, "throughput")[0].workload, [charts.batch_chart(alike)], one=True)
    if alike or lead:
        yield _part((alike or lead)[0].workload, [charts.cost_chart(alike or lead)], title="Cost", one=True)
    for scenario, chart in (("cold-start", charts.start_chart), ("memory", charts.memory_chart)):
        group = _of(groups, scenario)
        if group and not (scenario == "memory" and lead):
            yield _part(group[0].workload, [chart(group)])


def _of(groups: Sequence[list[Series]], scenario: str) -> list[Series]:
    return [series for group in groups if group[0].workload.scenario == scenario for series in group]


def _part(workload: Workload, found: Sequence[Chart | None], title: str = "", one: bool = False) -> Part:
    """one: of a workload of several texts, only one is told of."""
    told = work_words(workload.model_copy(update={"batch": 1}) if one else workload)
    work = f"{told}, {model_words(workload.weights)} ({workload.weights})"
    return Part(title or _SCENARIO_TITLES[workload.scenario], work, [chart for chart in found if chart])


def _trades(targets: Sequence[TargetInfo]) -> Table:
    """What each target gives up, by its own word."""
    rows = []
    for target in targets:
        if target.config:
            trades = "nothing: Bark's own mathematics" if is_exact(target) else ""
            said = target.config.get("trades") or trades or str(target.config.get("precision", ""))
            rows.append([target.name, said])
    return Table(["target", "what it trades for speed"], rows)
