"""One stride of decode steps under torch's profiler: kernels, their time, and how long the device waits."""

import collections
import functools
import json
import statistics
from pathlib import Path
from typing import Any

from alrakis.bench.gpu.figures import Figures, Options, Values, synchronize
from alrakis.bench.gpu.kept import Kept
from alrakis.bench.gpu.steps import drawn, entered
from alrakis.engine import Engine
from alrakis.spec import Stage

_DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")  # categories of the profiler
_HOST = ("cuda_runtime", "cuda_driver")
_LONG_GAP_US = 20.0


def measure(figures: Figures) -> None:
    options = figures.options
    weights = Kept(f"synthetic-{options.size}")
    ways: dict[str, dict[str, Any]] = {"graphs": {}, "no graphs": {"cuda_graphs": False}}
    for way, overrides in ways.items() if options.cuda else [("no graphs", {})]:
        with Engine(weights, "gpu-bf16", device=options.device, max_batch=2, **overrides) as engine:
            for stage in ("coarse", "text") if options.cuda else ("coarse",):
                one = functools.partial(traced, options, engine, stage)
                figures.measure(f"{stage}, {way}", one, 3.0)


def traced(options: Options, engine: Engine, stage: Stage) -> Values:
    """Two strides of one row. syncs: calls of the host that wait for the device."""
    from torch.profiler import ProfilerActivity, profile

    gpt = getattr(engine.backend, stage)()
    slots, count = entered(gpt, 1), 2 * gpt.stride
    drawn(gpt, slots, 0, gpt.stride)
    synchronize(options)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if options.cuda else [])]
    with profile(activities=activities) as profiler:
        drawn(gpt, slots, gpt.stride, count)
        synchronize(options)
    gpt.leave(slots[0])
    path = options.out / "trace.json"
    profiler.export_chrome_trace(str(path))
    try:
        return read_trace(json.loads(Path(path).read_text("utf-8")), count)
    finally:
        path.unlink()


def read_trace(trace: dict[str, Any], steps: int) -> Values:
    """What a chrome trace of some steps says, a step."""
    events = [event for event in trace["traceEvents"] if event.get("ph") == "X"]
    host = collections.Counter(event["name"] for event in events if event.get("cat") in _HOST)
    values: Values = {
        "host_calls": {name: round(count / steps, 2) for name, count in host.most_common(8)},
        # the last is the profile's own
        "syncs": max(0, sum(count for name, count in host.items() if "Synchronize" in name) - 1),
    }
    spans = sorted(
        (event["ts"], event["ts"] + event["dur"], event["name"])
        for event in events
        if event.get("cat") in _DEVICE
    )
    return {**values, **(_device(spans, steps) if spans else {"kernels": 0})}


def _device(spans: list[tuple[float, float, str]], steps: int) -> Values:
    """What the device did: spans of microseconds, by their beginning."""
    busy, end, gaps = 0.0, spans[0][0], []
    took: dict[str, list[float]] = collections.defaultdict(list)
    for start, stop, name in spans:
        if start > end:
            gaps.append(start - end)
        busy += max(0.0, stop - max(start, end))
        end = max(end, stop)
        took[name].append(stop - start)
    whole = end - spans[0][0]
    longest = sorted(took.items(), key=lambda item: -sum(item[1]))[:12]
    return {
        "kernels": round(len(spans) / steps, 1),
        "us": round(whole / steps, 1),
        "busy_us": round(busy / steps, 1),
        "idle_share": round(1 - busy / whole, 3) if whole else 0.0,
        "median_gap_us": round(statistics.median(gaps), 2) if gaps else 0.0,
        "long_gaps": round(sum(gap > _LONG_GAP_US for gap in gaps) / steps, 2),
        "longest": [
            {"kernel": name[:70], "count": round(len(each) / steps, 1), "us": round(sum(each) / steps, 1)}
            for name, each in longest
        ],
    }
