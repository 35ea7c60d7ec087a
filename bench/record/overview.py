"""Many machines at a glance: a name for each, what is fastest on it, and a table of all."""

from collections.abc import Sequence
from dataclasses import dataclass

from alrakis.bench.record.bars import Bar, bar_chart
from alrakis.bench.record.charts import REAL_TIME, Chart
from alrakis.bench.record.drawing import NARROW, WIDE
from alrakis.bench.record.metrics import rtf_text
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Workload
from alrakis.bench.record.series import Series, group_series, lead_group, quickest
from alrakis.bench.record.tables import Table
from alrakis.bench.record.words import (
    ORIGINAL,
    Answer,
    answer,
    names_of,
    short_work,
    times_beside,
    work_words,
)


@dataclass(frozen=True)
class Machine:
    """A run with its place in the page. lead: the series of the work that is told of first."""

    anchor: str
    name: str
    run: Run
    answer: Answer | None
    warnings: list[str]
    lead: list[Series]

    @property
    def best(self) -> Series | None:
        return self.answer.best if self.answer else None


def machines_of(runs: Sequence[Run]) -> list[Machine]:
    """The machines of some runs: first those that did what most of them did, the fastest of them first."""
    found = [
        Machine(f"machine-{n}", name, run, answer(run), list(run.warnings()), lead_group(group_series(run)))
        for n, (name, run) in enumerate(zip(names_of(runs), runs, strict=True))
    ]
    usual = _usual_work(found)

    def rank(machine: Machine) -> tuple[bool, bool, float]:
        best = machine.best
        if best is None:
            return True, True, 0.0
        return False, _identity(best.workload) != usual, best.median("rtf")

    return sorted(found, key=rank)


def overview_words(machines: Sequence[Machine]) -> str:
    """The answer of all machines in a sentence or two."""
    alike = _alike(machines)
    if not alike:
        return "No config of alrakis was timed on any of them."
    if len(alike) == 1:
        machine, best = alike[0]
        said = machine.answer.headline if machine.answer else ""
        return f"{machine.name}, {work_words(best.workload)}. {said}"
    machine, best = alike[0]
    said, real_time = work_words(best.workload), sum(best.median("rtf") < 1 for _, best in alike)
    of = f"{real_time or 'none'} of {len(alike)}"
    each = one_run_each([machine for machine, _ in alike])
    where = f"on {of} machines that said {said}" if each else f"in {of} runs of {said}"
    fastest = f"{best.name} on {machine.name}, RTF {best.text('rtf')}"
    return f"Faster than real time {where}. The fastest: {fastest}."


def one_run_each(machines: Sequence[Machine]) -> bool:
    """Whether no machine was measured twice; else these are runs, and told of as such."""
    return len({machine.run.machine for machine in machines}) == len(machines)


def overview_table(machines: Sequence[Machine]) -> Table:
    """A row for each machine, its name first; columns that would be empty are left out."""
    rows = [_row(machine) for machine in machines]
    titles = list(rows[0])
    used = [title for title in titles if any(row[title] for row in rows)]
    return Table(used, [[row[title] for title in used] for row in rows])


def _row(machine: Machine) -> dict[str, str]:
    environment, best = machine.run.results.environment, machine.best
    original = _original(machine)
    exact = quickest(machine.lead, exact=True)
    noise = machine.run.noise
    return {
        "machine": machine.name,
        "fastest": best.name if best else "",
        "RTF": best.text("rtf") if best else "",
        "of": short_work(best.workload) if best else "",
        f"× {ORIGINAL}": times_beside(original, best),
        "noise": "" if noise is None else f"{noise:.0%}",
        "exact, RTF": exact.text("rtf") if exact else "",
        "speech an hour": f"{60 / best.median('rtf'):.0f} min" if best else "",
        "cores": str(environment.usable_cores),
        "memory": f"{environment.memory_bytes / 2**30:.0f} GiB",
        "memory reads": f"{environment.read_bandwidth / 1e9:.1f} GB/s" if environment.read_bandwidth else "",
        "GPU": "; ".join(gpu.name for gpu in environment.gpus),
        "alrakis": machine.run.results.alrakis,
        "measured": machine.run.results.started[:10],
    }


def fastest_chart(machines: Sequence[Machine]) -> Chart | None:
    """The fastest config of each machine that did what most of them did, the fastest machine first."""
    alike = _alike(machines)
    if len(alike) < 2:
        return None
    bars, rows = [], []
    for number, (machine, best) in enumerate(alike):
        rtf, times = best.median("rtf"), times_beside(_original(machine), best)
        role = "ours" if number else "best"
        note = best.name + (", noisy" if machine.run.noisy else "")
        bars.append(Bar(machine.name, ((rtf, role),), rtf_text(rtf), note, best.interval("rtf"), not number))
        rows.append([machine.name, best.name, rtf_text(rtf), times])
    wide, narrow = (bar_chart(bars, width, REAL_TIME, "RTF") for width in (WIDE, NARROW))
    left_out = len(machines) - len(alike)
    noun = "machine" if one_run_each([machine for machine, _ in alike]) else "run"
    workload = alike[0][1].workload
    note = f"RTF of the fastest config: {work_words(workload)}, {workload.weights}. Shorter is faster."
    if left_out:
        told = f"{noun} did other work: it is" if left_out == 1 else f"{noun}s did other work: they are"
        note += f" {left_out} {told} in the table alone."
    table = Table(["machine", "fastest", "RTF", f"× {ORIGINAL}"], rows)
    return Chart(f"The fastest {'on' if noun == 'machine' else 'in'} each {noun}", note, wide, narrow, table)


def _original(machine: Machine) -> Series | None:
    return next((s for s in machine.lead if s.name == ORIGINAL and s.values("rtf")), None)


def _alike(machines: Sequence[Machine]) -> list[tuple[Machine, Series]]:
    """The machines that did what most of them did, with what is fastest on each, the fastest first."""
    usual = _usual_work(machines)
    alike = [(m, m.best) for m in machines if m.best and _identity(m.best.workload) == usual]
    return sorted(alike, key=lambda pair: pair[1].median("rtf"))


def _usual_work(machines: Sequence[Machine]) -> tuple[object, ...] | None:
    """Of works that were done equally often, one with a voice, and the longest: what people do."""
    works = [machine.best.workload for machine in machines if machine.best]
    alike = [_identity(work) for work in works]

    def rank(work: Workload) -> tuple[int, bool, float]:
        return alike.count(_identity(work)), work.voice is not None, work.seconds

    return _identity(max(works, key=rank)) if works else None


def _identity(workload: Workload) -> tuple[object, ...]:
    """What makes work alike between machines: the voice's codes are no matter."""
    return workload.weights, workload.seconds, workload.voice is None, workload.batch
