"""Results and tables on a terminal. Text from files is shown printable, and never as markup."""

import contextlib
import sys
import textwrap
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from alrakis.bench.record.metrics import METRICS, main_metric, megabytes, rtf_text, seconds_text
from alrakis.bench.record.names import STAGES
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Results, Sample, Workload
from alrakis.bench.record.series import Series
from alrakis.bench.record.statistics import quartiles
from alrakis.bench.record.tables import Table, accuracy_table, median_cell
from alrakis.bench.record.words import (
    ORIGINAL,
    answer,
    machine_words,
    model_words,
    times_beside,
    work_words,
)
from alrakis.cli.showing import to_stdout
from alrakis.files.printable import printable, printable_lines
from alrakis.progress import end_working

PIPE_WIDTH = 140  # characters of a line in a file or a pipe
_NAME_WIDTH = 24  # names up to this length are not wrapped
_HEADING_WIDTH = 12  # above figures; longer ones, as names of files may be, are wrapped
_WRAPPED_WIDTH = 10


class PrintableConsole(Console):
    """A console that prints every text so that it can be shown."""

    def print(self, *objects: Any, **options: Any) -> None:
        end_working()
        with contextlib.nullcontext() if self.stderr else to_stdout():
            super().print(
                *(printable_lines(one) if isinstance(one, str) else one for one in objects), **options
            )


def make_console(*, stderr: bool = False) -> Console:
    """A console on standard output or standard error that does not interpret markup."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return PrintableConsole(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


@dataclass(frozen=True)
class _Column:
    """kind: `name`, which stays readable however narrow it is; `words`, which may be wrapped; `figure`."""

    title: str
    cells: list[str]
    kind: Literal["name", "words", "figure"]

    @property
    def least(self) -> int:
        """The least width in which no word and no figure is broken."""
        title, cells = self.title, self.cells
        if self.kind == "words":
            return min(_NAME_WIDTH, max(map(len, " ".join([title, *cells]).split()), default=0))
        wrapped = self.kind == "figure" and len(title) > _HEADING_WIDTH
        heading = _WRAPPED_WIDTH if wrapped else len(title)
        most = max(map(len, cells), default=0)
        return max(heading, min(_NAME_WIDTH, most) if self.kind == "name" else most)


def print_table(
    console: Console,
    title: str,
    table: Table,
    *,
    words: Collection[int] = (),
    names: Collection[int] = (0,),
    less: Sequence[str] = (),
) -> None:
    """Print a table without borders that fits into the console, if need be without some of its columns.

    Columns without any text are left out.

    words, names: indices of the columns that hold such, -1 is the last; the others are figures, and stand on
    the right. less: the titles of columns that it can do without, the first to be left out first.
    """
    count = len(table.columns)
    columns = []
    for n, heading in enumerate(table.columns):
        named = n in names or n - count in names
        kind: Any = "name" if named else "words" if n in words or n - count in words else "figure"
        cells = [printable(row[n]) for row in table.rows]
        if any(cells):
            columns.append(_Column(printable(heading), cells, kind))
    for heading in less:
        if _width(columns) <= console.width:
            break
        columns = [column for column in columns if column.title != heading]
    console.print(_drawn(title, columns))


def print_side_by_side(console: Console, title: str, table: Table) -> None:
    """Print a table of words; what does not fit beside its first column follows in tables of its own."""
    first, *others = (
        _Column(printable(heading), [printable(row[n]) for row in table.rows], "words")
        for n, heading in enumerate(table.columns)
    )
    while others:
        count = 1
        while count < len(others) and _width([first, *others[: count + 1]]) <= console.width:
            count += 1
        console.print(_drawn(title, [first, *others[:count]]))
        others = others[count:]


def _drawn(title: str, columns: Sequence[_Column]) -> RichTable:
    drawn = RichTable(
        title=Text(printable(title)), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        figure, heading = column.kind == "figure", column.title
        if figure and len(heading) > _HEADING_WIDTH:
            heading = _in_lines(heading, _WRAPPED_WIDTH)
        drawn.add_column(
            Text(heading),
            justify="right" if figure else "left",
            overflow="fold",
            no_wrap=column.kind != "words",
            min_width=column.least,
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        cells = zip(row, columns, strict=True)
        drawn.add_row(
            *(Text(_in_lines(cell, _NAME_WIDTH) if one.kind == "name" else cell) for cell, one in cells)
        )
    return drawn


def _in_lines(text: str, width: int) -> str:
    """A text in as many lines as it needs."""
    return "\n".join(textwrap.wrap(text, width))


def _width(columns: Sequence[_Column]) -> int:
    """How wide a table is, at the least."""
    return sum(column.least for column in columns) + 2 * (len(columns) - 1)


def print_results(results: Results) -> None:
    """Print a table for each workload, the accuracy, what went wrong, and the answer in words at the end."""
    console, run = make_console(), Run("", results)
    environment = results.environment
    memory = f"{environment.memory_bytes / 2**30:.0f} GiB"
    threads = f"{environment.threads} thread{'s' if environment.threads != 1 else ''}"
    line = f"{machine_words(environment)}, {memory}; {threads}"
    if environment.read_bandwidth:
        line += f", memory read at {environment.read_bandwidth / 1e9:.1f} GB/s"
    _say(console, line)
    for warning in run.warnings():
        _say(console, f"! {warning}")
    console.print()
    told: set[str] = set()
    for workload in results.workloads:
        told |= _print_workload(console, results, workload)
    if results.accuracy:
        weights = results.workload(results.accuracy[0].workload).weights
        table = accuracy_table([(part.target, part) for part in results.accuracy])
        title = f"accuracy: {weights}, the same tokens as fp32"
        print_table(console, title, table, words=(1,), less=_LESS_ACCURACY)
        console.print()
    told -= {sample.target for sample in results.samples}
    failures = [f"{one.name}: {one.error}" for one in results.targets if one.error and one.name not in told]
    for line in [*failures, *results.notes]:
        _say(console, line)
    said = answer(run)
    if said is not None:
        trades = [f"{said.best.name} trades: {said.trades}."] if said.trades else []
        for line in ["", said.headline, *said.details, *trades]:
            _say(console, line)


def _say(console: Console, sentence: str) -> None:
    """Print a sentence: in lines that fit into a terminal, in one into a file or a pipe."""
    console.print(sentence, soft_wrap=not console.is_terminal)


def _print_workload(console: Console, results: Results, workload: Workload) -> set[str]:
    """Print the table of a workload; the names of those that failed in it, whose rows have the reason."""
    samples = {target.name: results.samples_of(workload.name, target.name) for target in results.targets}
    about = main_metric(workload)
    medians = {
        name: quartiles(values).median
        for name, own in samples.items()
        if (values := [value for one in own if (value := METRICS[about].value(one))])
    }
    if not medians:
        return set()
    series = {t.name: Series(Run("", results), t, workload, samples[t.name]) for t in results.targets}
    original = series.get(ORIGINAL) if about == "rtf" and ORIGINAL in medians else None
    columns = ["target", "RTF", _TIMES, *(title for title, _, _ in _COLUMNS)]
    rows = []
    for name in sorted(medians, key=medians.__getitem__):
        times = times_beside(original, series[name])
        rtf = median_cell(samples[name], lambda sample: sample.rtf, rtf_text)
        further = (median_cell(samples[name], of, text) for _, of, text in _COLUMNS)
        rows.append([name, rtf, times, *further])
    silent = [target for target in results.targets if target.name not in medians]
    failed = {one.name: why for one in silent if (why := results.why_not(workload.name, one))}
    rows += [[name, "failed", *[""] * (len(columns) - 2)] for name in failed]
    less = [title for title in _LESS if title != METRICS[about].title.removesuffix(" after")]
    print_table(console, _title(workload), Table(columns, rows), less=less)
    for name, why in failed.items():
        _say(console, f"{name} failed: {why}")
    console.print()
    return set(failed)


def _title(workload: Workload) -> str:
    model = model_words(workload.weights)
    return f"{workload.name}: {work_words(workload)}, {model} ({workload.weights}); medians"


def _step_ms(sample: Sample) -> float | None:
    decode = sample.stages["coarse_decode"]
    return decode.seconds / decode.steps * 1e3 if decode.steps else None


def _part_s(part: str) -> Callable[[Sample], float]:
    """The seconds of all stages whose name begins so."""
    stages = [stage for stage in STAGES if stage.startswith(part)]
    return lambda sample: sum(sample.stages[stage].seconds for stage in stages)


_TIMES = f"× {ORIGINAL}"
# Titles, values and formats; units stand with the figures.
_COLUMNS: tuple[tuple[str, Callable[[Sample], float | None], Callable[[float], str]], ...] = (
    ("first audio", lambda s: s.ttfa_s, seconds_text),
    ("text", _part_s("semantic"), seconds_text),
    ("coarse", _part_s("coarse"), seconds_text),
    ("fine", _part_s("fine"), seconds_text),
    ("codec", _part_s("codec"), seconds_text),
    ("coarse step", _step_ms, "{:.2f} ms".format),
    ("of bandwidth", lambda s: s.bandwidth_share, "{:.0%}".format),
    ("memory", lambda s: s.peak_rss_bytes, megabytes),
)
# What a narrow terminal does without, first to last.
_LESS = ("of bandwidth", "codec", "coarse step", "first audio", "text", "fine", "coarse")
_LESS_ACCURACY = ("draws", "KL, most", "KL, mean")
