"""Reading JSON and TOML that others wrote: with limits, before anything is believed or allocated.

All readers of such files use these functions. What comes out holds no text that is not Unicode, no numbers
beyond 64 bits and no deep nesting; its types are for a pydantic model to check.
"""

import json
import math
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_BYTES = 8 << 20  # of a file, unless its reader says otherwise
MOST_TOML_BYTES = 64 << 10
MOST_LEVELS = 32  # of nesting
MOST_KEYS = 10_000  # of a table, for a model: pydantic keeps 500 bytes of each mistake
_MOST_VALUES = 1 << 19  # a value takes up to 72 bytes in memory, a table more than twice as much
_LONGEST_NUMBER = 64  # characters
_MOST_DOTS = 64  # in a line of TOML: keys of so many parts take quadratic time


Model = TypeVar("Model", bound=BaseModel)


class LimitError(ValueError):
    """Text is larger, deeper or longer than what is read."""


def read_file(path: str | os.PathLike[str], most_bytes: int = MOST_BYTES) -> bytes:
    """The content of an ordinary file. Raises OSError, and LimitError for another kind or a larger one."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:  # a pipe that nobody writes to would not be opened without NONBLOCK
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise LimitError("it is a folder, a device or a pipe; an ordinary file is needed")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise LimitError(f"it is larger than {most_bytes / 2**20:g} MiB, the most that is read of its kind")
    return content


def parse_json(content: bytes | str, *, unbounded: bool = False, most_keys: int = _MOST_VALUES) -> Any:
    """The value of some JSON in UTF-8. unbounded: NaN and infinities are allowed. most_keys: of a table.

    Raises ValueError, whose message is one line, for what is no JSON, and LimitError.
    """
    text = content if isinstance(content, str) else content.decode("utf-8")
    if not few_values(text):
        raise LimitError(f"it holds more values than are read ({_MOST_VALUES})")
    try:
        value = _decoder(most_keys).decode(text)
    except RecursionError:
        raise LimitError("it is nested too deeply") from None
    return _checked(value, unbounded)


@cache
def _decoder(most_keys: int) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_int=lambda digits: int(_number(digits)),
        parse_float=lambda digits: float(_number(digits)),
        object_pairs_hook=lambda pairs: _once(pairs, most_keys),
    )


def few_values(text: str) -> bool:
    """Whether some JSON has no more values than `parse_json` reads; commas in its texts count too."""
    if len(text) <= _MOST_VALUES:
        return True
    return text.count(",") + 2 * (text.count("[") + text.count("{")) <= _MOST_VALUES


def parse_toml(text: str) -> dict[str, Any]:
    """The table of some TOML. Raises ValueError, whose message is one line, and LimitError."""
    if len(text) > MOST_TOML_BYTES:
        raise LimitError(f"it is longer than {MOST_TOML_BYTES} characters")
    if any(line.count(".") > _MOST_DOTS for line in text.split("\n")):
        raise LimitError(f"it has a line with more than {_MOST_DOTS} dots")
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise LimitError("it is nested too deeply") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # from Python's own limit on digits
        raise LimitError("it holds a number of too many digits") from None
    _checked(table, unbounded=True)
    return table


def parse_model(model: type[Model], content: bytes, *, unbounded: bool = False) -> Model:
    """The model that some JSON holds. Raises ValueError, whose message is one line, and LimitError."""
    # for its limits; the model knows JSON's types better
    parse_json(content, unbounded=unbounded, most_keys=MOST_KEYS)
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise ValueError(first_problem(error.errors(include_url=False))) from None


def read_json(
    path: str | os.PathLike[str],
    most_bytes: int = MOST_BYTES,
    *,
    unbounded: bool = False,
    most_keys: int = _MOST_VALUES,
) -> Any:
    """The value in a JSON file. Raises OSError, ValueError and LimitError as `read_file` and `parse_json`."""
    return parse_json(read_file(path, most_bytes), unbounded=unbounded, most_keys=most_keys)


def reason(error: Exception) -> str:
    """Why reading failed, in a line without the file's name."""
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 text (byte {error.start})"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _number(digits: str) -> str:
    if len(digits) > _LONGEST_NUMBER:
        raise LimitError(f"it holds a number of {len(digits)} characters")
    return digits


def _once(pairs: list[tuple[str, Any]], most_keys: int) -> dict[str, Any]:
    if len(pairs) > most_keys:
        raise LimitError(f"it has a table of {len(pairs)} keys; up to {most_keys} are read")
    table = dict(pairs)
    if len(table) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"it has {twice!r:.80} twice")
    return table


def _checked(value: Any, unbounded: bool) -> Any:
    """The value itself, if all within is fit to be used. Level by level: recursion has limits of its own."""
    level: list[Any] = [value]
    for _ in range(MOST_LEVELS + 1):
        inside: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inside += one.keys()
                inside += one.values()
            elif isinstance(one, list):
                inside += one
            elif not (isinstance(one, str) and one.isascii()):
                _check_one(one, unbounded)
        if not inside:
            return value
        level = inside
    raise LimitError(f"it is nested deeper than {MOST_LEVELS} levels")


def _check_one(one: Any, unbounded: bool) -> None:
    if isinstance(one, str):
        if not one.isascii() and any("\ud800" <= letter <= "\udfff" for letter in one):
            raise ValueError(f"it has half of a surrogate pair in {one!r:.80}")
    elif isinstance(one, int) and one.bit_length() > 64:
        raise LimitError(f"it holds a whole number of {one.bit_length()} bits; 64 are read")
    elif isinstance(one, float) and not unbounded and not math.isfinite(one):
        raise ValueError(f"it holds {one}, where a number is needed")


def first_problem(problems: Iterable[Any]) -> str:
    """The first of pydantic's `errors()` in a line: where (counted from 1), what is wrong, what was given."""
    problem = next(iter(problems))
    where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{where:.80}: nothing of this name is known"
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if isinstance(problem["input"], (dict, list)) else f", not {problem['input']!r:.80}"
    return f"{where:.80}: {message[0].lower()}{message[1:]:.200}{given}" if where else message
