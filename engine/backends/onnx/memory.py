"""Returning freed memory to the system, and keeping what is soon used again."""

import ctypes
import functools
from collections.abc import Callable

SEPARATE_BYTES = 8 << 20  # a block as large is mapped by itself, and unmapped when it is freed
KEPT_BYTES = 16 << 20  # free memory that stays at the heap's end

# glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def separate_large_blocks() -> None:
    """Have large blocks go back to the system when they are freed, and smaller ones stay for the next.

    By itself glibc raises its bounds with every large block that is freed, up to 32 and 64 MiB, and such
    blocks leave holes in the heap from then on; before that, it maps every moderate block anew.
    """
    set_option = _glibc("mallopt")
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, SEPARATE_BYTES)
        set_option(_M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back_memory() -> None:
    """Hand back what was freed: glibc keeps hundreds of megabytes for a next allocation otherwise."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


@functools.cache
def _glibc(function: str) -> Callable[..., int] | None:
    """One of glibc's own functions; None on systems with another allocator, which give back by themselves."""
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), function)
    except (AttributeError, OSError, TypeError):  # TypeError: Windows has no library of its own name
        return None
    return found
