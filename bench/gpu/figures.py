"""The figures of one part of the check, written down as they come: a stop loses only what comes after it."""

import gc
import json
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Values = dict[str, Any]

RESERVE_S = 3.0  # of a part's time, in which nothing new begins


@dataclass(frozen=True)
class Options:
    """What a part is told. device: as configs have it. size: of the weights. out: a folder."""

    device: str
    size: str
    out: Path
    seconds: float

    @property
    def cuda(self) -> bool:
        return self.device.startswith("cuda")


@dataclass
class Figure:
    """Something measured, or why it was not. took_s: by the clock on the wall."""

    name: str
    took_s: float = 0.0
    values: Values = field(default_factory=dict)
    error: str = ""


class Figures:
    """Measures, one figure after the other, as long as there is time."""

    def __init__(self, part: str, options: Options) -> None:
        self.options = options
        self._part = part
        self._path = options.out / f"{part}-{options.size}.json"
        self._made: list[Figure] = []
        self._ends = time.perf_counter() + options.seconds

    @property
    def left_s(self) -> float:
        """Seconds that this part has left."""
        return self._ends - time.perf_counter()

    def measure(self, name: str, function: Callable[[], Values], needs_s: float = 0.0) -> bool:
        """Keep what the function gives, or how it failed; leave it out where time is short.

        Whether there is a figure. Exits when the device is lost: nothing after that would be true.
        """
        if self.left_s < needs_s + RESERVE_S:
            self._keep(Figure(name, error=f"left out: {max(0.0, self.left_s):.0f} s were left"))
            return False
        began = time.perf_counter()
        try:
            figure = Figure(name, values=function())
        except Exception as error:  # a figure that cannot be had says why, and the others go on
            lines = str(error).strip().splitlines() or [""]
            figure = Figure(name, error=f"{type(error).__name__}: {lines[0]}")
            traceback.print_exc()
        figure.took_s = round(time.perf_counter() - began, 2)
        self._keep(figure)
        if "CUDA error" in figure.error or "illegal memory" in figure.error:
            raise SystemExit(3)
        free(self.options)
        return not figure.error

    def _keep(self, figure: Figure) -> None:
        self._made.append(figure)
        made = {"part": self._part, "size": self.options.size, "figures": [asdict(f) for f in self._made]}
        self._path.write_text(json.dumps(made, indent=1, default=str), "utf-8")
        print(json.dumps(asdict(figure), default=str), file=sys.stderr, flush=True)


def synchronize(options: Options) -> None:
    """Wait until the device has done its work."""
    if options.cuda:
        import torch

        torch.cuda.synchronize(options.device)


def free(options: Options) -> None:
    """Give back the device's memory that nobody needs."""
    gc.collect()
    if options.cuda:
        import torch

        torch.cuda.empty_cache()


def clock(options: Options, call: Callable[[], Any]) -> float:
    """Seconds until a call has been done, on the device as well."""
    synchronize(options)
    began = time.perf_counter()
    call()
    synchronize(options)
    return time.perf_counter() - began


def device_time(options: Options, call: Callable[[], Any], repeats: int) -> float:
    """Median seconds that a device spends on a call; on a CPU by the clock."""
    call()
    if not options.cuda:
        return statistics.median(clock(options, call) for _ in range(repeats))
    import torch

    event: Any = torch.cuda.Event
    with torch.cuda.device(options.device):
        pairs = [[event(enable_timing=True) for _ in range(2)] for _ in range(repeats)]
        for before, after in pairs:
            before.record()
            call()
            after.record()
        synchronize(options)
    return statistics.median(before.elapsed_time(after) for before, after in pairs) / 1e3


def reset_peak(options: Options) -> None:
    """Peaks of the device's memory count from now on."""
    if options.cuda:
        import torch

        torch.cuda.reset_peak_memory_stats(options.device)


def peak(options: Options) -> Values:
    """The device's memory that torch held at most, in MB: in tensors, and altogether."""
    if not options.cuda:
        return {}
    import torch

    return {
        "peak_mb": round(torch.cuda.max_memory_allocated(options.device) / 1e6),
        "reserved_mb": round(torch.cuda.max_memory_reserved(options.device) / 1e6),
    }
