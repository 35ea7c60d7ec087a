"""A folder that one process at a time works in."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from alrakis.errors import InputError, OutputError
from alrakis.files import remove_temporary

LOCK = ".lock"


@contextlib.contextmanager
def held(folder: Path, advice: str) -> Iterator[None]:
    """Keep other processes out of a folder that exists, and remove what a killed one has left there.

    advice: what to do when another is at work. Raises InputError then, OutputError if it cannot be locked.
    """
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise InputError(f"another process is at work in {folder}; {advice}") from None
    except OSError as error:
        raise OutputError(f"cannot write in {folder}: {error.strerror}") from None
    try:
        remove_temporary(folder)
        yield
    finally:
        lock.release()
