"""Tables of a Markdown page that are written between markers, and never by hand."""

import re
from pathlib import Path

from alrakis.errors import InputError
from alrakis.files.writing import replace_file


def marked(text: str) -> list[str]:
    """The names of the tables that a page has places for, in their order."""
    return re.findall(r"^<!-- figures: ([\w-]+) -->$", text, re.MULTILINE)


def put_table(text: str, name: str, table: str) -> str:
    """The page with this table at its place. Raises InputError if it has none."""
    place = re.compile(
        rf"(?<=^<!-- figures: {re.escape(name)} -->\n).*?(?=^<!-- end -->$)", re.MULTILINE | re.DOTALL
    )
    if not place.search(text):
        raise InputError(f"there is no place for {name}: write <!-- figures: {name} --> and <!-- end -->")
    return place.sub(lambda _: f"\n{table.strip()}\n\n", text, count=1)


def table_in(printed: str) -> str:
    """The Markdown table in what a figure prints."""
    return "\n".join(line for line in printed.splitlines() if line.startswith("|"))


def write_table(path: Path, name: str, table: str) -> None:
    """Put a table into a page on the disk. Raises InputError and OutputError."""
    replace_file(path, put_table(read_page(path), name, table).encode())


def read_page(path: Path) -> str:
    """The text of a page. Raises InputError."""
    from alrakis.files.parsing import reason  # brings pydantic, and something is to be seen before

    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from None
