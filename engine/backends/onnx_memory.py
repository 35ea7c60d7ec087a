"""Returning freed memory to the system."""

import ctypes
import functools
from collections.abc import Callable


def give_back_memory() -> None:
    """Hand back what was freed: glibc keeps hundreds of megabytes for a next allocation otherwise."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's function; None on systems with another allocator, which give back by themselves."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # TypeError: Windows has no library of its own name
        return None
