"""The items of a batch, from a JSONL, CSV or plain text file: a text each, with what may be said about it."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from alrakis.errors import InputError, nearest
from alrakis.files.parsing import parse_json, reason
from alrakis.sampling import MAX_SEED

MOST_ROWS = 100_000
_MOST_LINES = 2_000_000
_MOST_KEYS = 100  # of a row of JSON, so that the one that is unknown can be named
_MOST_COMMAS = 1_000_000  # in a row of a CSV
# what every system takes for a file's name
_FileName = Annotated[str, Field(pattern=r'^[^\s./\\:*?"<>|\x00-\x1f][^/\\:*?"<>|\x00-\x1f]{0,99}$')]
_Row = tuple[int, dict[str, Any]]  # its line, from 1, and what it says


# with slots an item takes a fifth of the memory of a model
@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid", strict=True))
class BatchItem:
    """One text that is to become one audio file.

    line: where it stands in the file, from 1. id: names it, and its audio file unless `file` does. voice,
    seed, lang: its own, where they are not those of the whole batch.
    """

    line: int
    id: _FileName
    text: str
    voice: str | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    lang: str | None = None
    file: _FileName


FIELDS = [field.name for field in fields(BatchItem) if field.name != "line"]


def read_items(content: str, name: str, extension: str) -> list[BatchItem]:
    """The items of a file that has this content; its name tells the format, .jsonl, .csv or .txt.

    extension: of audio files that no item names, as in `.wav`. Raises InputError that names the line.
    """
    readers: dict[str, Callable[[str, str], Iterator[_Row]]] = {
        ".jsonl": _from_jsonl,
        ".csv": _from_csv,
        ".txt": _from_txt,
    }
    reader = readers.get(Path(name).suffix.lower())
    if reader is None:
        raise InputError(f"{name} must end in {', '.join(readers)}: that tells how it is written")
    if max(map(content.count, "\r\n")) > _MOST_LINES:
        raise InputError(f"{name} has more than {_MOST_LINES} lines: give them in several files")
    _check_letters(content, name)
    rows = list(islice(reader(content, name), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise _too_many(name)
    items = [_item(values, line, name, extension) for line, values in rows]
    if not items:
        raise InputError(f"{name} is empty: there is nothing to say")
    _check_unique(items, name)
    return items


def _too_many(name: str) -> InputError:
    return InputError(f"{name} has more than {MOST_ROWS} rows: give them in several files")


def _check_letters(content: str, name: str) -> None:
    try:
        content.encode("utf-8")
    except UnicodeEncodeError as error:
        line = content.count("\n", 0, error.start) + 1
        raise InputError(f"{name}, line {line} holds half of a surrogate pair") from None


def _lines(content: str, name: str) -> list[tuple[int, str]]:
    """The lines that are not empty, and their numbers; only a line feed ends one. They are counted first."""
    lines = [(number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip()]
    if len(lines) > MOST_ROWS:
        raise _too_many(name)
    return lines


def _from_jsonl(content: str, name: str) -> Iterator[_Row]:
    for number, line in _lines(content, name):
        try:
            values = parse_json(line, most_keys=_MOST_KEYS)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{name}, line {number} is no JSON: {error.msg} (column {error.colno})"
            ) from None
        except ValueError as error:
            raise InputError(f"{name}, line {number} cannot be read: {reason(error)}") from None
        if not isinstance(values, dict):
            raise InputError(f'{name}, line {number} must be an object, as in {{"text": "Hello"}}')
        yield number, values


def _from_csv(content: str, name: str) -> Iterator[_Row]:
    csv.field_size_limit(max(csv.field_size_limit(), len(content)))  # by default 131,072 characters a cell
    lines = _Lines(content, name)
    reader = csv.reader(lines, strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if header is None:
                    header = [cell.strip() for cell in cells]
                    _check_header(header, name)
                elif len(cells) != len(header):
                    raise InputError(
                        f"{name}, line {line} has {len(cells)} cells; the header has {len(header)}"
                    )
                else:
                    values = {key: cell for key, cell in zip(header, cells, strict=True) if cell}
                    yield line, {"text": "", **values, **_whole_number(values, name, line)}
            line, lines.commas = reader.line_num + 1, 0
    except csv.Error as error:
        raise InputError(f"{name}, line {line} is no CSV: {error}") from None


class _Lines:
    """The lines of a CSV, with the commas of the row that is read: each may begin a cell."""

    def __init__(self, content: str, name: str) -> None:
        self._lines, self._name = io.StringIO(content, newline=""), name
        self.commas = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.commas += line.count(",")
        if self.commas > _MOST_COMMAS:
            raise InputError(f"{self._name} has a row with more than {_MOST_COMMAS} commas")
        return line


def _check_header(header: list[str], name: str) -> None:
    if "text" not in header:
        raise InputError(f"{name} has no column `text` in its first line, but {', '.join(header):.200}")
    if len(set(header)) < len(header):
        raise InputError(f"{name} names a column twice: {', '.join(header):.200}")


def _whole_number(values: dict[str, str], name: str, line: int) -> dict[str, int]:
    try:
        return {"seed": int(values["seed"])} if "seed" in values else {}
    except ValueError:
        raise InputError(
            f"{name}, line {line}: a seed is a whole number, not {values['seed']!r:.80}"
        ) from None


def _from_txt(content: str, name: str) -> Iterator[_Row]:
    return ((number, {"text": line.strip()}) for number, line in _lines(content, name))


def _item(values: dict[str, Any], line: int, name: str, extension: str) -> BatchItem:
    given = {key: value for key, value in values.items() if value is not None}
    if "line" in given:
        raise InputError(f"{name}, line {line}: unknown field 'line'; fields are {', '.join(FIELDS)}")
    named = str(given.get("id", f"{line:04}"))
    facts: dict[str, Any] = {"line": line, "id": named, "file": named + extension, **given}
    try:
        return BatchItem(**facts)
    except ValidationError as error:
        raise InputError(f"{name}, line {line}: {_explain(error.errors()[0])}") from None


def _explain(problem: Any) -> str:
    field = str(problem["loc"][0])
    if problem["type"] == "unexpected_keyword_argument":
        return f"unknown field {field!r:.80}{nearest(field, FIELDS)}; fields are {', '.join(FIELDS)}"
    if problem["type"] == "missing":
        return f"there is no {field!r}"
    message = f"{problem['msg'][0].lower()}{problem['msg'][1:]}"
    if problem["type"] == "string_pattern_mismatch":
        message = "names a file, so it has up to 100 letters, digits and such, and no slash"
    return f"{field} {problem['input']!r:.80}: {message}"


def subtitles_file(file: str, form: str) -> str:
    """The name of the subtitles beside an audio file. form: `.srt`, `.vtt` or `.json`."""
    return str(Path(file).with_suffix(form))


def check_subtitles_files(items: Sequence[BatchItem], name: str, form: str) -> None:
    """Raises InputError where two items would have the same subtitles."""
    _check_each([(item.line, subtitles_file(item.file, form)) for item in items], name, "subtitles")


def _check_unique(items: list[BatchItem], name: str) -> None:
    _check_each([(item.line, item.id) for item in items], name, "id")
    _check_each([(item.line, item.file) for item in items], name, "file")


def _check_each(named: list[tuple[int, str]], name: str, what: str) -> None:
    seen: dict[str, int] = {}
    for line, value in named:
        before = seen.setdefault(value.casefold(), line)  # some systems know no case in names
        if before != line:
            raise InputError(f"{name}: lines {before} and {line} have the same {what}, {value!r}")
