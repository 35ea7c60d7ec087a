"""Medians, quartiles and bootstrapped intervals of measured values, and whether one set exceeds another."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from alrakis.bench.record.schema import Sample, Summary
from alrakis.errors import InputError

FLOOR = 0.02  # smaller differences are not reported, however significant
SIGNIFICANT = 0.05
INTERVAL = 0.95
RESAMPLES = 9999

Interval = tuple[float, float]
Verdict = Literal["less", "more", "no difference shown", "too few samples"]


class Quartiles(NamedTuple):
    q1: float
    median: float
    q3: float


def quartiles(values: Sequence[float]) -> Quartiles:
    """Quartiles of one or more values; between two values they are interpolated."""
    return Quartiles(*(float(value) for value in np.percentile(values, [25, 50, 75])))


class Ratio(NamedTuple):
    """The median of `b` over the median of `a`.

    interval: bootstrapped, at 95%; None if either side has a single sample. p: of a two-sided Mann-Whitney
    test; 1 if there are too few samples for the test. verdict: what `b` is, compared with `a`.
    """

    value: float
    interval: Interval | None
    p: float
    verdict: Verdict


def noise_of(samples: Sequence[Sample]) -> float | None:
    """How much the speed of a machine changed while these samples were taken, as a share; None if unknown.

    It is read off the product that was timed before and after each sample: how far its slow tenth and its
    quick tenth are from the middle between them. 0.1: by 10% to both sides.
    """
    times = [seconds for sample in samples for seconds in sample.calibration_s or () if seconds > 0]
    if len(times) < 4:
        return None
    quick, slow = np.percentile(times, [10, 90])
    return float(math.sqrt(slow / quick) - 1)


def widened(interval: Interval | None, noise: float | None) -> Interval | None:
    """An interval of a median or a ratio, widened to both sides by a machine's noise.

    Samples that were taken in one quiet or one busy minute agree with each other, and say nothing about the
    next minute: the interval that they give is too narrow.
    """
    if interval is None or not noise:
        return interval
    return interval[0] / (1 + noise), interval[1] * (1 + noise)


def ratio_of(a: Sequence[float], b: Sequence[float], noise: float | None = None) -> Ratio:
    """Compare two sets of samples that were measured in the same way.

    noise: of the machine meanwhile, by which the interval is widened.

    `b` is "less" or "more" if the test is significant, the interval excludes 1, and the medians differ by 2%
    or more. Four samples on each side are enough for that. Swapping `a` and `b` gives exactly the inverse.
    Raises InputError if a side has no samples, or samples that are not above 0.
    """
    if not a or not b or not all(0 < value < math.inf for value in (*a, *b)):
        raise InputError("a ratio needs samples on both sides, all of them above 0")
    if sorted(b) < sorted(a):  # always in the same order, so that the same resamples are drawn
        return _inverse(ratio_of(b, a, noise))
    a, b = sorted(a), sorted(b)
    value = quartiles(b).median / quartiles(a).median
    logs = _interval(_log_ratio, a, b)
    interval = widened(logs and (math.exp(logs[0]), math.exp(logs[1])), noise)
    if 2 / math.comb(len(a) + len(b), len(a)) >= SIGNIFICANT:  # the smallest p that is possible
        return Ratio(value, interval, 1.0, "too few samples")
    from scipy import stats  # an extra, which what needs none of this does without

    method = stats.PermutationMethod(n_resamples=RESAMPLES, rng=np.random.default_rng(0))
    p = float(stats.mannwhitneyu(a, b, method=method).pvalue)
    return Ratio(value, interval, p, _verdict(value, interval, p))


def median_interval(values: Sequence[float]) -> Interval | None:
    """The 95% interval of a median, bootstrapped; None for a single value."""
    return _interval(np.median, values)


def summaries(samples: Sequence[Sample]) -> list[Summary]:
    """The summary of every metric of every target, in the order in which they appear in the samples.

    Intervals of times are widened by the noise of the machine, those of memory are not.
    """
    noise = noise_of(samples)
    groups: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for sample in samples:
        for metric, value in _metrics(sample):
            groups[sample.workload, sample.target, metric].append(value)
    return [
        Summary(
            workload=workload,
            target=target,
            metric=metric,
            samples=len(values),
            interval=widened(median_interval(values), None if metric.endswith("_bytes") else noise),
            **quartiles(values)._asdict(),
        )
        for (workload, target, metric), values in groups.items()
    ]


def _metrics(sample: Sample) -> Iterator[tuple[str, float]]:
    """The names and values of the metrics that a sample has."""
    names = "rtf", "ttfa_s", "wall_s", "load_s", "peak_rss_bytes", "peak_gpu_bytes", "bandwidth_share"
    for name in names:
        value = getattr(sample, name)
        if value is not None:
            yield name, value
    for stage, work in sample.stages.items():
        yield f"{stage}_s", work.seconds
        if work.steps and stage.endswith("decode"):
            yield f"{stage}_step_s", work.seconds / work.steps
    for meter, joules in sample.energy_j.items():
        yield f"energy_j {meter}", joules


def _interval(statistic: Callable[..., np.ndarray], *samples: Sequence[float]) -> Interval | None:
    """The 95% interval of a statistic; None if any of its samples has a single value.

    It is resampled with a fixed seed: the same samples give the same interval.
    """
    if min(map(len, samples)) < 2:
        return None
    from scipy import stats

    found = stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=INTERVAL,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def _log_ratio(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    return np.log(np.median(b, axis)) - np.log(np.median(a, axis))


def _verdict(value: float, interval: Interval | None, p: float) -> Verdict:
    shown = p < SIGNIFICANT and interval is not None and not interval[0] <= 1 <= interval[1]
    if not shown or max(value, 1 / value) < 1 + FLOOR:
        return "no difference shown"
    return "less" if value < 1 else "more"


def _inverse(ratio: Ratio) -> Ratio:
    interval = ratio.interval and (1 / ratio.interval[1], 1 / ratio.interval[0])
    opposite: dict[Verdict, Verdict] = {"less": "more", "more": "less"}
    return Ratio(1 / ratio.value, interval, ratio.p, opposite.get(ratio.verdict, ratio.verdict))
