"""Results and tables on a terminal. Text from files is shown printable, and never as markup."""

import contextlib
import sys
import textwrap
from collections.abc import Callable, Collection, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from alrakis.bench.record.metrics import METRICS, main_metric, megabytes, rtf_text, seconds_text, times_text
from alrakis.bench.record.names import STAGES
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Results, Sample, Workload
from alrakis.bench.record.statistics import quartiles
from alrakis.bench.record.tables import Table, accuracy_table, median_cell
from alrakis.bench.record.words import ORIGINAL, answer, machine_words, model_words, work_words
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


def make_table(
    title: str, table: Table, *, words: Collection[int] = (0,), names: Collection[int] = (0,)
) -> RichTable:
    """A table without borders. words: indices of the columns that are aligned left; -1 is the last.

    names: those of them that are names, which stay readable however narrow it is.
    """
    drawn = RichTable(
        title=Text(printable(title)), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for number, column in enumerate(table.columns):
        left = number in words or number - len(table.columns) in words
        heading = printable(column)
        if not left and len(heading) > _HEADING_WIDTH:
            heading = _in_lines(heading, _WRAPPED_WIDTH)
        drawn.add_column(
            Text(heading),
            justify="left" if left else "right",
            overflow="fold",
            no_wrap=not left or number in names,
        )
    for row in table.rows:
        cells = map(printable, row)
        drawn.add_row(
            *(
                Text(_in_lines(cell, _NAME_WIDTH) if number in names else cell)
                for number, cell in enumerate(cells)
            )
        )
    return drawn


def fitted(table: Table, width: int, less: Sequence[str]) -> Table:
    """The table without the columns that it can best do without, as many as make it fit into a width.

    less: the titles of those columns, the first to be left out first.
    """
    for title in less:
        if _width(table) <= width:
            break
        if title in table.columns:
            table = _without(table, title)
    return table


def _without(table: Table, title: str) -> Table:
    n = list(table.columns).index(title)
    rows = [[*row[:n], *row[n + 1 :]] for row in table.rows]
    return Table([*table.columns[:n], *table.columns[n + 1 :]], rows)


def _in_lines(text: str, width: int) -> str:
    """A text in as many lines as it needs."""
    return "\n".join(textwrap.wrap(text, width))


def _width(table: Table) -> int:
    """How wide a table is whose names are wrapped."""
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    widths = [
        min(_NAME_WIDTH, max(min(len(title), _HEADING_WIDTH), *map(len, cells), 0))
        for title, cells in zip(table.columns, columns, strict=True)
    ]
    return sum(widths) + 2 * len(widths)


def print_results(results: Results) -> None:
    """Print a table for each workload, the accuracy, what went wrong, and the answer in words at the end."""
    console, run = make_console(), Run("", results)
    environment = results.environment
    memory = f"{environment.memory_bytes / 2**30:.0f} GiB"
    line = f"{machine_words(environment)}, {memory}; {environment.threads} threads"
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
        table = fitted(table, console.width, _LESS_ACCURACY)
        console.print(make_table(f"accuracy: {weights}, the same tokens as fp32", table, words=(0, 1)))
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
    original = medians.get(ORIGINAL) if about == "rtf" else None
    columns = ["target", "RTF", _TIMES, *(title for title, _, _ in _COLUMNS)]
    rows = []
    for name, value in sorted(medians.items(), key=lambda pair: pair[1]):
        times = times_text(original / value) if original and name != ORIGINAL else ""
        rtf = median_cell(samples[name], lambda sample: sample.rtf, rtf_text)
        further = (median_cell(samples[name], of, text) for _, of, text in _COLUMNS)
        rows.append([name, rtf, times, *further])
    silent = [target for target in results.targets if target.name not in medians]
    failed = {one.name: why for one in silent if (why := results.why_not(workload.name, one))}
    rows += [[name, "failed", *[""] * (len(columns) - 2)] for name in failed]
    table = Table(columns, rows)
    if not any(row[2] for row in rows):
        table = _without(table, _TIMES)
    less = [title for title in _LESS if title != METRICS[about].title.removesuffix(" after")]
    console.print(make_table(_title(workload), fitted(table, console.width, less)))
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
