"""The metrics that results are compared by, and how figures are written: the same digits everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alrakis.bench.record.schema import Sample, Workload


@dataclass(frozen=True)
class Metric:
    """A value of a sample, of which less is better.

    less, more: the words for a lower and a higher value. text: formats a value, with its unit.
    """

    title: str
    value: "Callable[[Sample], float | None]"
    less: str
    more: str
    text: Callable[[float], str]


def rtf_text(rtf: float) -> str:
    """An RTF, as text: two decimals, three below 0.1."""
    return f"{rtf:.2f}" if rtf >= 0.095 else f"{rtf:.3f}"


def times_text(times: float) -> str:
    """How many times, as text: one decimal, two below 2, none above 100."""
    return f"{times:.{2 if times < 1.95 else 1 if times < 99.5 else 0}f}×"


def ratio_text(times: float) -> str:
    """The same to three digits, for figures that are compared closely."""
    return f"{times:.{2 if times < 9.95 else 1 if times < 99.5 else 0}f}×"


def seconds_text(seconds: float) -> str:
    """Seconds, as text with the unit: two decimals, one above 100."""
    return f"{seconds:.{2 if seconds < 99.5 else 1}f} s"


def megabytes(size: float) -> str:
    """A size in bytes, as text."""
    return f"{size / 1e6:.0f} MB"


_SPEED = ("faster", "slower")
_SIZE = ("less memory", "more memory")
METRICS = {
    "rtf": Metric("RTF", lambda s: s.rtf, *_SPEED, rtf_text),
    "ttfa": Metric("first audio after", lambda s: s.ttfa_s, *_SPEED, seconds_text),
    "load": Metric("ready after", lambda s: s.load_s, *_SPEED, seconds_text),
    "memory": Metric("peak memory", lambda s: s.peak_rss_bytes, *_SIZE, megabytes),
    "gpu-memory": Metric("peak GPU memory", lambda s: s.peak_gpu_bytes, *_SIZE, megabytes),
}


def main_metric(workload: "Workload") -> str:
    """The name of the metric that a workload is about."""
    return {"cold-start": "ttfa", "memory": "memory"}.get(workload.scenario, "rtf")
