"""The metrics that results are compared by."""

from collections.abc import Callable
from dataclasses import dataclass

from alrakis.bench.record.schema import Sample, Workload


@dataclass(frozen=True)
class Metric:
    """A value of a sample, of which less is better.

    less, more: the words for a lower and a higher value. text: formats a value, with its unit.
    """

    title: str
    value: Callable[[Sample], float | None]
    less: str
    more: str
    text: Callable[[float], str]


def megabytes(size: float) -> str:
    """A size in bytes, as text."""
    return f"{size / 1e6:.0f} MB"


_SPEED = ("faster", "slower")
_SIZE = ("less memory", "more memory")
METRICS = {
    "rtf": Metric("RTF", lambda s: s.rtf, *_SPEED, "{:.3g}".format),
    "ttfa": Metric("first audio after", lambda s: s.ttfa_s, *_SPEED, "{:.3g} s".format),
    "load": Metric("ready after", lambda s: s.load_s, *_SPEED, "{:.3g} s".format),
    "memory": Metric("peak memory", lambda s: s.peak_rss_bytes, *_SIZE, megabytes),
    "gpu-memory": Metric("peak GPU memory", lambda s: s.peak_gpu_bytes, *_SIZE, megabytes),
}


def main_metric(workload: Workload) -> str:
    """The name of the metric that a workload is about."""
    return {"cold-start": "ttfa", "memory": "memory"}.get(workload.scenario, "rtf")
