"""Tables on a terminal. What comes out of a file is shown as it is, never obeyed."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 140  # of a table that goes into a file or a pipe
_NAME_WIDTH = 24  # names up to this length stay in one line


def make_console(*, stderr: bool = False) -> Console:
    """A console that reads no markup in what it prints."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def make_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> Table:
    """A plain table; the first `left` columns are words, the others figures."""
    table = Table(
        title=Text(printable(title)), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for number, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if number < left else "right", overflow="fold")
    if rows:
        table.columns[0].min_width = min(_NAME_WIDTH, max(len(row[0]) for row in rows))
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def printable(text: str) -> str:
    """The text in a line, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
