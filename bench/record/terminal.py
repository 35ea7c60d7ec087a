"""Results and tables on a terminal. Text from files is shown printable, and never as markup."""

import sys
from collections.abc import Callable, Collection
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from alrakis.bench.record.metrics import megabytes
from alrakis.bench.record.schema import STAGES, Results, Sample, StageName, Workload
from alrakis.bench.record.tables import NARROW_STAGE_TITLES, Table, accuracy_table, median_cell
from alrakis.files.printable import printable, printable_lines

PIPE_WIDTH = 140  # characters of a line in a file or a pipe
_NAME_WIDTH = 24  # names up to this length are not wrapped


class PrintableConsole(Console):
    """A console that prints every text so that it can be shown."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(printable_lines(one) if isinstance(one, str) else one for one in objects), **options)


def make_console(*, stderr: bool = False) -> Console:
    """A console on standard output or standard error that does not interpret markup."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return PrintableConsole(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def make_table(title: str, table: Table, *, words: Collection[int] = (0,)) -> RichTable:
    """A table without borders. words: indices of the columns that are aligned left; -1 is the last."""
    drawn = RichTable(
        title=Text(printable(title)), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for number, column in enumerate(table.columns):
        left = number in words or number - len(table.columns) in words
        drawn.add_column(Text(printable(column)), justify="left" if left else "right", overflow="fold")
    if table.rows:
        drawn.columns[0].min_width = min(_NAME_WIDTH, max(len(row[0]) for row in table.rows))
    for row in table.rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    return drawn


def print_results(results: Results) -> None:
    """Print one table for each workload, the accuracy, and why targets failed or figures are missing."""
    console = make_console()
    environment = results.environment
    line = f"{environment.machine}; {environment.threads} threads"
    if environment.read_bandwidth:
        line += f", memory read at {environment.read_bandwidth / 1e9:.1f} GB/s"
    console.print(line, soft_wrap=True)
    for workload in results.workloads:
        rows = [
            [target.name, *(median_cell(samples, value, text) for _, value, text in _COLUMNS)]
            for target in results.targets
            if (samples := results.samples_of(workload.name, target.name))
        ]
        if rows:
            columns = ["target", *(title for title, _, _ in _COLUMNS)]
            console.print(make_table(_title(workload), Table(columns, rows)))
            console.print()
    if results.accuracy:
        weights = results.workload(results.accuracy[0].workload).weights
        table = accuracy_table([(part.target, part) for part in results.accuracy])
        console.print(make_table(f"accuracy: {weights}, the same tokens as fp32", table, words=(0, 1)))
        console.print()
    failures = [f"{target.name}: {target.error}" for target in results.targets if target.error]
    for line in [*failures, *results.notes]:
        console.print(line, soft_wrap=True)


def _title(workload: Workload) -> str:
    voice = f"voice {workload.voice}" if workload.voice else "no voice"
    texts = f"{workload.batch} texts at once, " if workload.batch > 1 else ""
    return f"{workload.name}: {workload.weights}, {texts}{workload.seconds:g} s, {voice}; medians, seconds"


def _step_ms(sample: Sample) -> float | None:
    decode = sample.stages["coarse_decode"]
    return decode.seconds / decode.steps * 1e3 if decode.steps else None


def _stage_s(stage: StageName) -> Callable[[Sample], float]:
    return lambda sample: sample.stages[stage].seconds


# Titles, values and formats.
_COLUMNS: tuple[tuple[str, Callable[[Sample], float | None], Callable[[float], str]], ...] = (
    ("RTF", lambda s: s.rtf, "{:.2f}".format),
    ("first audio", lambda s: s.ttfa_s, "{:.2f}".format),
    *(
        (title, _stage_s(stage), "{:.2f}".format)
        for title, stage in zip(NARROW_STAGE_TITLES, STAGES, strict=True)
    ),
    ("coarse step", _step_ms, "{:.2f} ms".format),
    ("of bandwidth", lambda s: s.bandwidth_share, "{:.0%}".format),
    ("peak RSS", lambda s: s.peak_rss_bytes, megabytes),
)
