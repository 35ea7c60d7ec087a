"""Paths as a person gives them."""

import os
from pathlib import Path

from alrakis.errors import InputError


def given_path(path: "str | os.PathLike[str]") -> Path:
    """A path that somebody gave, with `~` and `~name` as the home folders that they stand for.

    What comes of it can be given again. Raises InputError if there is no such home folder, or the text can be
    no path.
    """
    return Path(given_text(os.fsdecode(path)))


def given_text(text: str) -> str:
    """`given_path` for a text that may be a name, too: it is left as it is but for its home folder."""
    if "\0" in text:
        raise InputError(f"{text!r} is not a file name that can be used: it has a zero byte in it")
    if not text.startswith("~"):  # pathlib would take ./~x for ~x
        return os.path.abspath(text) if os.path.normpath(text).startswith("~") else text
    found = os.path.expanduser(text)
    if found.startswith("~"):
        raise InputError(
            f"{text} begins with a home folder that this system does not know: give the whole path"
        )
    return found
