"""Is one set of measured figures larger than another? A ratio with its interval, and a verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
from scipy import stats

from alrakis.errors import InputError

FLOOR = 0.02  # a smaller difference is not worth a word, however sure
SIGNIFICANT = 0.05
INTERVAL = 0.95
RESAMPLES = 9999

Verdict = Literal["less", "more", "no difference shown", "too few samples"]


@dataclass(frozen=True)
class Ratio:
    """The median of `b` over that of `a`.

    low, high: bootstrapped interval at 95%, None for a single sample on either side. p: of a two-sided
    Mann-Whitney test, 1 where there are too few samples for one. verdict: what `b` is beside `a`.
    """

    value: float
    low: float | None
    high: float | None
    p: float
    verdict: Verdict


def ratio_of(a: Sequence[float], b: Sequence[float]) -> Ratio:
    """Compare samples that were measured alike.

    `b` is "less" or "more" when the test says so, the interval leaves out 1, and the medians differ by 2% or
    more. With too few samples no test can say so: 4 and 4 are enough. Swapping `a` and `b` inverts the
    result exactly. Raises InputError when there are no samples, or one is not above 0.
    """
    if not a or not b or not all(0 < value < math.inf for value in (*a, *b)):
        raise InputError("a ratio needs samples on both sides, all of them above 0")
    if sorted(b) < sorted(a):  # always in one order, so that the same resamples are drawn
        return _inverted(ratio_of(b, a))
    a, b = sorted(a), sorted(b)
    value = median(b) / median(a)
    if 2 / math.comb(len(a) + len(b), len(a)) >= SIGNIFICANT:  # the least p that these could reach
        return Ratio(value, *_interval(a, b), 1.0, "too few samples")
    method = stats.PermutationMethod(n_resamples=RESAMPLES, rng=np.random.default_rng(0))
    p = float(stats.mannwhitneyu(a, b, method=method).pvalue)
    low, high = _interval(a, b)
    return Ratio(value, low, high, p, _verdict(value, low, high, p))


def _interval(a: Sequence[float], b: Sequence[float]) -> tuple[float | None, float | None]:
    if len(a) < 2 or len(b) < 2:
        return None, None

    def log_ratio(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        return np.log(np.median(y, axis)) - np.log(np.median(x, axis))

    found = stats.bootstrap(
        (a, b),
        log_ratio,
        n_resamples=RESAMPLES,
        confidence_level=INTERVAL,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return math.exp(found.low), math.exp(found.high)


def _verdict(value: float, low: float | None, high: float | None, p: float) -> Verdict:
    """What is shown; a single sample, which has no interval, shows nothing."""
    shown = p < SIGNIFICANT and low is not None and high is not None and not low <= 1 <= high
    if not shown or max(value, 1 / value) < 1 + FLOOR:
        return "no difference shown"
    return "less" if value < 1 else "more"


def _inverted(ratio: Ratio) -> Ratio:
    low, high = (None if end is None else 1 / end for end in (ratio.high, ratio.low))
    opposite: dict[Verdict, Verdict] = {"less": "more", "more": "less"}
    return Ratio(1 / ratio.value, low, high, ratio.p, opposite.get(ratio.verdict, ratio.verdict))
