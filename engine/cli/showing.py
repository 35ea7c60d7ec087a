"""What commands print: it is printable wherever it comes from, and it is an error if it cannot be printed."""

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from alrakis.errors import OutputError
from alrakis.files.printable import printable

MOST_TOLD = 10  # of chunks or rows


@contextlib.contextmanager
def to_stdout() -> Iterator[None]:
    """Within the block standard output is written; what goes wrong with it is told as that.

    Raises OutputError, and BrokenPipeError as it is: there nobody reads any more.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed: there is nothing to print on")
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write to standard output: {error.strerror or error}") from None


def show(*lines: object) -> None:
    """Print lines on standard output. Raises as `to_stdout`."""
    _print("\n".join(map(printable, lines)))


def show_json(value: Any) -> None:
    """Print a value as JSON. Raises as `to_stdout`."""
    _print(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))


def changes_line(what: str, changed: Sequence[object], count: int, gone: int) -> str:
    """What is made of a text that was corrected: `3 of 412 chunks changed: 7, 8, 20`."""
    which = ", ".join(map(str, changed[:MOST_TOLD])) + (", ..." if len(changed) > MOST_TOLD else "")
    left_out = f"; {gone} of before are left out" if gone else ""
    return f"{len(changed)} of {count} {what} changed{f': {which}' if which else ''}{left_out}"


def show_json_line(value: Any) -> None:
    """Print a value as JSON in a line. Raises as `to_stdout`."""
    _print(json.dumps(value).replace("\x7f", "\\u007f"))


def show_text(text: str) -> None:
    """Print a text of our own as it is. Raises as `to_stdout`."""
    _print(text)


def _print(text: str) -> None:
    progress = sys.modules.get("alrakis.progress")  # the help does without
    if progress is not None:
        progress.end_working()
    with to_stdout():
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
