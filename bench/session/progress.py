"""The progress of a run on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import mean

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from alrakis.bench.record.terminal import make_console
from alrakis.bench.session.plan import Plan
from alrakis.files.printable import printable
from alrakis.progress import end_working


class RunProgress:
    """A progress bar with the time left, and one line for each call; without a terminal only the lines."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self._progress = progress
        self._calls_left = {target.name: plan.calls_of(target) for target in plan.targets}
        self._took_s: dict[str, list[float]] = {}
        self._task = progress.add_task("", total=sum(self._calls_left.values()), left="")

    def started(self, work: str) -> None:
        """Show what is being done from now on."""
        self._progress.update(self._task, description=printable(work))

    def called(self, target: str, seconds: float, result: str) -> None:
        """Count one of the calls in the plan, which took so many seconds."""
        self._took_s.setdefault(target, []).append(seconds)
        self._calls_left[target] -= 1
        self._progress.update(self._task, advance=1, left=self._time_left())
        self._progress.console.print(result)

    def failed(self, target: str, calls: int, reason: str) -> None:
        """Take away this number of a target's calls, which are not going to be made."""
        self.spared(target, calls)
        self._progress.console.print(f"{target} failed: {reason}")

    def spared(self, target: str, calls: int) -> None:
        """Take away this number of a target's calls, which need not be made."""
        self._calls_left[target] -= calls
        self._progress.update(self._task, total=(self._progress.tasks[0].total or 0) - calls)

    def _time_left(self) -> str:
        """An estimate from the mean call of each target; targets without a call take the mean of those."""
        means_s = {target: mean(took_s) for target, took_s in self._took_s.items()}
        mean_s = mean(means_s.values())
        seconds = sum(calls * means_s.get(target, mean_s) for target, calls in self._calls_left.items())
        return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"


@contextmanager
def run_progress(plan: Plan) -> Iterator[RunProgress]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    console = make_console(stderr=True)
    end_working()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield RunProgress(plan, progress)
