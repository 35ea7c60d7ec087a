"""A run on a terminal: what runs now, how much is left, and the tables at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import mean, median

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from alrakis.bench.record.schema import STAGES, Results, Sample, StageName, Workload
from alrakis.bench.record.tables import make_console, make_table, printable
from alrakis.bench.session.plan import Plan

_STAGE_TITLES: dict[StageName, str] = {
    "semantic_prefill": "semantic",
    "semantic_decode": "steps",
    "coarse_prefill": "coarse",
    "coarse_decode": "steps",
    "fine": "fine",
    "codec": "codec",
}


class ProgressShow:
    """A bar on standard error; where that is no terminal, a line for each call."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self._progress = progress
        self._left = {
            target.name: sum(plan.calls(one) for one in plan.workloads if target in plan.takers(one))
            for target in plan.targets
        }
        self._took_s: dict[str, list[float]] = {}
        self._task = progress.add_task("", total=sum(self._left.values()), left="")

    def doing(self, what: str) -> None:
        self._progress.update(self._task, description=printable(what))

    def done(self, target: str, planned: bool, seconds: float, result: str) -> None:
        if not planned:
            return
        self._took_s.setdefault(target, []).append(seconds)
        self._left[target] -= 1
        self._progress.update(self._task, advance=1, left=self._time_left())
        self._progress.console.print(printable(result))

    def failed(self, target: str, calls: int, why: str) -> None:
        self._left[target] -= calls
        self._progress.update(self._task, total=(self._progress.tasks[0].total or 0) - calls)
        self._progress.console.print(printable(f"{target} failed: {why}"))

    def _time_left(self) -> str:
        """From what each target's calls took so far; one that had none takes as long as the mean."""
        usual_s = {name: mean(took) for name, took in self._took_s.items()}
        seconds = sum(count * usual_s.get(name, mean(usual_s.values())) for name, count in self._left.items())
        return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"


@contextmanager
def progress_show(plan: Plan) -> Iterator[ProgressShow]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    console = make_console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield ProgressShow(plan, progress)


def print_results(results: Results, console: Console | None = None) -> None:
    """A table a workload, and what there is to say besides."""
    console = console or make_console()
    environment = results.environment
    bandwidth = (
        f", memory read at {environment.read_bandwidth / 1e9:.1f} GB/s" if environment.read_bandwidth else ""
    )
    console.print(
        printable(f"{environment.machine}; {environment.threads} threads{bandwidth}\n"), soft_wrap=True
    )
    for workload in results.workloads:
        rows = [
            _row(workload, target.name, samples)
            for target in results.targets
            if (samples := results.taken(workload.name, target.name))
        ]
        if rows:
            console.print(make_table(_title(workload), _COLUMNS, rows))
            console.print()
    if results.accuracy:
        _print_accuracy(results, console)
    failures = [(one.name, one.error) for one in results.targets if one.error]
    for name, why in failures:
        console.print(printable(f"{name}: {why}"), soft_wrap=True)
    for note in results.notes:
        console.print(printable(note), soft_wrap=True)


_COLUMNS = (
    "target",
    "RTF",
    "first audio",
    *_STAGE_TITLES.values(),
    "coarse step",
    "of bandwidth",
    "peak RSS",
)


def _title(workload: Workload) -> str:
    voice = f"voice {workload.voice}" if workload.voice else "no voice"
    rows = f"{workload.batch} texts at once, " if workload.batch > 1 else ""
    return f"{workload.name}: {workload.weights}, {rows}{workload.seconds:g} s, {voice}; medians, seconds"


def _row(workload: Workload, target: str, samples: list[Sample]) -> list[str]:
    def of(values: list[float | None], form: str) -> str:
        known = [value for value in values if value is not None]
        return form.format(median(known)) if known else ""

    steps = [one.stages["coarse_decode"] for one in samples]
    return [
        target,
        of([one.rtf for one in samples], "{:.2f}"),
        of([one.ttfa_s for one in samples], "{:.2f}"),
        *(of([one.stages[stage].seconds for one in samples], "{:.2f}") for stage in STAGES),
        of([one.seconds / one.steps * 1e3 for one in steps if one.steps], "{:.2f} ms"),
        of([one.bandwidth_share for one in samples], "{:.0%}"),
        of([one.peak_rss_bytes and one.peak_rss_bytes / 1e6 for one in samples], "{:.0f} MB"),
    ]


def _print_accuracy(results: Results, console: Console) -> None:
    rows = []
    for one in results.accuracy:
        figures = ((one.top1, "{:.1%}"), (one.kl_mean, "{:.2g}"), (one.kl_max, "{:.2g}"))
        cells = ["" if value is None else form.format(value) for value, form in figures]
        distance = one.log_mel_distance_db
        cells.append("" if distance is None else f"{distance:.2f} dB")
        rows.append([one.target, one.part, str(one.positions or ""), *cells])
    columns = ["target", "part", "draws", "likeliest is fp32's", "KL, mean", "KL, most", "log-mel distance"]
    weights = results.workload(results.accuracy[0].workload).weights
    console.print(make_table(f"accuracy: {weights}, the same tokens as fp32", columns, rows, left=2))
    console.print()
