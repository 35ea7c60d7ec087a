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
    """The peak of memory that torch took on the GPU in use; None if it does not use one."""
    torch = _cuda()
    return int(torch.cuda.max_memory_reserved(_card(torch))) if torch else None


def gpu_bandwidth() -> float | None:
    """Bytes a second that a copy reads and writes on the GPU in use; None if torch does not use one."""
    torch = _cuda()
    if not torch:
        return None
    with torch.cuda.device(_card(torch)):
        source = torch.empty(2**28, dtype=torch.uint8, device="cuda")
        target = torch.empty_like(source)
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        target.copy_(source)
        began.record()
        for _ in range(_COPIES):
            target.copy_(source)
        ended.record()
        torch.cuda.synchronize()
        took_s = began.elapsed_time(ended) / 1e3
        copied_bytes = 2 * _COPIES * source.numel()
        del source, target
        torch.cuda.empty_cache()  # else they would count as memory of whatever is measured next
    return float(copied_bytes / took_s)


def _card(torch: Any) -> int:
    """The number of the GPU in use: the one that holds most."""
    cards: range = range(torch.cuda.device_count())
    return max(cards, key=torch.cuda.memory_reserved)


def _cuda() -> Any:
    torch = sys.modules.get("torch")
    return torch if torch and torch.cuda.is_available() and torch.cuda.is_initialized() else None
