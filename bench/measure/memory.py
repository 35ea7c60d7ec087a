"""The peak of this process's memory since it was last reset."""

import contextlib
import re
import resource
import sys
from pathlib import Path
from typing import Any


def reset_peaks() -> None:
    """Forget the peaks so far. Where the system cannot, a peak is that since the process began."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    torch = _cuda()
    if torch:
        torch.cuda.reset_peak_memory_stats()


def peak_rss_bytes() -> int:
    """Most resident memory."""
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def peak_gpu_bytes() -> int | None:
    """Most GPU memory that torch held; None where it holds none."""
    torch = _cuda()
    return int(torch.cuda.max_memory_allocated()) if torch else None


def _cuda() -> Any:
    torch = sys.modules.get("torch")
    return torch if torch and torch.cuda.is_available() and torch.cuda.is_initialized() else None
