"""Settings of glibc's allocator: which freed memory it returns to the system, and which it keeps."""

import ctypes
import functools
from collections.abc import Callable

SEPARATE_BYTES = 8 << 20  # blocks of at least this size are mapped, and unmapped when they are freed
KEPT_BYTES = 16 << 20  # free memory that stays at the end of the heap

# glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def separate_large_blocks() -> None:
    """Return large blocks to the system when they are freed, and keep smaller ones for reuse.

    Otherwise glibc raises its thresholds with every large block that is freed, up to 32 and 64 MiB, and later
    large blocks leave holes in the heap; before that, it maps every block of moderate size anew.
    """
    set_option = _glibc("mallopt")
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, SEPARATE_BYTES)
        set_option(_M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back_memory() -> None:
    """Return freed memory to the system; otherwise glibc keeps hundreds of megabytes."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


@functools.cache
def _glibc(function: str) -> Callable[..., int] | None:
    """A function that only glibc has; None on other systems, whose allocators return memory themselves."""
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), function)
    except (AttributeError, OSError, TypeError):  # TypeError: Windows cannot open None
        return None
    return found
