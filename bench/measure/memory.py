"""Peaks of the memory of this process since they were last reset."""

import contextlib
import re
import resource
import sys
from pathlib import Path
from typing import Any

_COPIES = 10


def reset_peaks() -> None:
    """Start new peaks. If the system cannot do this, peaks count from the start of the process."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    torch = _cuda()
    if torch:
        for card in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(card)


def peak_rss_bytes() -> int:
    """The peak of resident memory."""
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def peak_gpu_bytes() -> int | None:
    """The peak of GPU memory that torch took from the system, of all cards; None if it does not use one."""
    torch = _cuda()
    if not torch:
        return None
    return sum(int(torch.cuda.max_memory_reserved(card)) for card in range(torch.cuda.device_count()))


def gpu_bandwidth() -> float | None:
    """Bytes a second that a copy reads and writes on the GPU in use; None if torch does not use one."""
    torch = _cuda()
    if not torch:
        return None
    source = torch.empty(2**28, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    target.copy_(source)
    began.record()
    for _ in range(_COPIES):
        target.copy_(source)
    ended.record()
    torch.cuda.synchronize()
    return float(2 * _COPIES * source.numel() / (began.elapsed_time(ended) / 1e3))


def _cuda() -> Any:
    torch = sys.modules.get("torch")
    return torch if torch and torch.cuda.is_available() and torch.cuda.is_initialized() else None
