"""What commands print: it is printable wherever it comes from, and it is an error if it cannot be printed."""

import json
import sys
from typing import Any

from alrakis.errors import OutputError
from alrakis.files.printable import printable


def show(*lines: object) -> None:
    """Print lines on standard output. Raises OutputError if it is closed, OSError if it cannot be written."""
    _print("\n".join(map(printable, lines)))


def show_json(value: Any) -> None:
    """Print a value as JSON. Raises as `show`."""
    _print(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))


def _print(text: str) -> None:
    if sys.stdout is None:
        raise OutputError("standard output is closed: there is nothing to print on")
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
