"""Paths as a person gives them."""

import os
from pathlib import Path

from alrakis.errors import InputError


def given_path(path: "str | os.PathLike[str]") -> Path:
    """A path that somebody gave, with `~` and `~name` as the home folders that they stand for.

    Raises InputError if there is no such home folder, or the text can be no path.
    """
    given = os.fspath(path)
    if "\0" in given:
        raise InputError(f"{given!r} is not a file name that can be used: it has a zero byte in it")
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise InputError(
            f"{given} begins with a home folder that this system does not know: give the whole path"
        ) from None
