"""Peaks of the memory of this process since they were last reset."""

import contextlib
import re
import resource
import sys
from pathlib import Path
from typing import Any


def reset_peaks() -> None:
    """Start new peaks. If the system cannot do this, peaks count from the start of the process."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    torch = _cuda()
    if torch:
        torch.cuda.reset_peak_memory_stats()


def peak_rss_bytes() -> int:
    """The peak of resident memory."""
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def peak_gpu_bytes() -> int | None:
    """The peak of GPU memory that torch held; None if torch does not use a GPU."""
    torch = _cuda()
    return int(torch.cuda.max_memory_allocated()) if torch else None


def _cuda() -> Any:
    torch = sys.modules.get("torch")
    return torch if torch and torch.cuda.is_available() and torch.cuda.is_initialized() else None
