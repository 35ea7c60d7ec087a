"""The statistics of comparing: what is called a difference, and how often wrongly."""

import math
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.bench.record.schema import Sample
from alrakis.bench.record.statistics import noise_of, quartiles, ratio_of, summaries, widened
from alrakis.errors import InputError
from tests.bench.results import sample, times, workload

figures = st.floats(0.001, 1e9)
samples = st.lists(figures, min_size=1, max_size=6)


def noisy(random: np.random.Generator, middle: float, spread: float, count: int) -> list[float]:
    return list(random.lognormal(math.log(middle), spread, count))


@given(samples, samples)
def test_swapping_inverts(a: list[float], b: list[float]) -> None:
    there, back = ratio_of(a, b), ratio_of(b, a)
    assert back.value == pytest.approx(1 / there.value)
    assert back.p == there.p
    opposite = {"less": "more", "more": "less"}
    assert back.verdict == opposite.get(there.verdict, there.verdict)
    if sorted(a) != sorted(b) and there.interval:
        assert back.interval
        assert back.interval == pytest.approx((1 / there.interval[1], 1 / there.interval[0]))


@given(samples, samples, st.floats(0.01, 100))
def test_the_unit_does_not_matter(a: list[float], b: list[float], unit: float) -> None:
    one, other = ratio_of(a, b), ratio_of([unit * x for x in a], [unit * x for x in b])
    assert other.value == pytest.approx(one.value)
    assert other.value == pytest.approx(median(b) / median(a))


@given(st.lists(figures, min_size=4, max_size=6))
def test_the_same_samples_are_no_difference(a: list[float]) -> None:
    assert ratio_of(a, a).verdict == "no difference shown"


@given(st.integers(0, 2**32 - 1), st.integers(4, 8), st.floats(0.001, 0.05))
def test_a_difference_of_a_third_is_found(seed: int, count: int, spread: float) -> None:
    random = np.random.default_rng(seed)
    a = list(random.uniform(1 - spread, 1 + spread, count))
    b = list(random.uniform(1 - spread, 1 + spread, count) * 1.33)
    found = ratio_of(a, b)
    assert found.verdict == "more"
    assert found.interval
    assert 1.15 < found.interval[0] <= found.value <= found.interval[1] < 1.55


@pytest.mark.parametrize("count", [4, 5, 8])
def test_equal_distributions_are_seldom_called_different(count: int) -> None:
    random = np.random.default_rng(count)
    verdicts = [
        ratio_of(noisy(random, 3, 0.1, count), noisy(random, 3, 0.1, count)).verdict for _ in range(200)
    ]
    wrong = 200 - verdicts.count("no difference shown")
    assert wrong <= 0.05 * 200 + 3 * math.sqrt(200 * 0.05 * 0.95)  # 5% and three deviations


def test_the_interval_holds_the_true_ratio_mostly() -> None:
    random = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        found = ratio_of(noisy(random, 1, 0.1, 10), noisy(random, 1.5, 0.1, 10))
        assert found.interval
        held += found.interval[0] <= 1.5 <= found.interval[1]
    assert held >= 0.88 * 100


def test_a_sure_difference_below_the_floor_is_none() -> None:
    a = [1 + i / 1e5 for i in range(20)]
    below, above = ratio_of(a, [1.015 * x for x in a]), ratio_of(a, [1.025 * x for x in a])
    assert below.p < 0.001
    assert (below.verdict, above.verdict) == ("no difference shown", "more")


@pytest.mark.parametrize("counts", [(1, 1), (1, 30), (2, 3), (3, 3)])
def test_too_few_samples_are_said_to_be_so(counts: tuple[int, int]) -> None:
    a, b = [1.0 + i / 100 for i in range(counts[0])], [5.0 + i / 100 for i in range(counts[1])]
    found = ratio_of(a, b)
    assert found.verdict == "too few samples"
    assert (found.interval is None) == (min(counts) < 2)


@pytest.mark.parametrize(("a", "b"), [([], [1]), ([1], []), ([0], [1]), ([1], [-1]), ([math.nan], [1])])
def test_what_no_ratio_can_be_made_of(a: list[float], b: list[float]) -> None:
    with pytest.raises(InputError, match="above 0"):
        ratio_of(a, b)


def test_quartiles_are_interpolated() -> None:
    assert quartiles([1, 2, 3, 4]) == (1.75, 2.5, 3.25)
    assert quartiles([7]) == (7, 7, 7)


def test_summaries_have_every_metric_that_was_measured() -> None:
    work = workload()
    made = [
        sample(work, name, i, float(i + 1), energy_j={"GPU 0": 5.0}) for i in range(3) for name in ("x", "y")
    ]
    found = {(s.target, s.metric): s for s in summaries(made)}
    assert [target for target, _ in found] == sorted(target for target, _ in found)
    rtf = found["x", "rtf"]
    assert (rtf.samples, rtf.q1, rtf.median, rtf.q3, rtf.interval) == (3, 1.5, 2, 2.5, (1, 3))
    assert found["y", "coarse_decode_step_s"].median == 0.5
    assert found["x", "energy_j GPU 0"].median == 5
    assert ("x", "load_s") not in found


def calibrated(*times_s: float) -> list[Sample]:
    pairs = zip(times_s[::2], times_s[1::2], strict=True)
    return [sample(workload(), "x", n, 1.0, calibration_s=pair) for n, pair in enumerate(pairs)]


def test_noise_is_read_off_one_and_the_same_product() -> None:
    assert noise_of(calibrated(1.0, 1.0, 1.0, 1.0)) == 0.0
    assert noise_of(calibrated(*[1.0, 1.44] * 10)) == pytest.approx(0.2)
    assert noise_of(calibrated(1.0, 2.0)) is None  # two are too few to tell
    assert noise_of([sample(workload(), "x", n, 1.0) for n in range(4)]) is None  # not measured


def test_noise_widens_intervals_and_is_not_hidden() -> None:
    quiet, noisy = ratio_of(times(1.0), times(1.1)), ratio_of(times(1.0), times(1.1), 0.2)
    assert quiet.interval
    assert noisy.interval == (quiet.interval[0] / 1.2, quiet.interval[1] * 1.2)
    assert (quiet.verdict, noisy.verdict) == ("more", "no difference shown")
    back = ratio_of(times(1.1), times(1.0), 0.2)
    assert back.interval == (1 / noisy.interval[1], 1 / noisy.interval[0])
    assert widened(None, 0.2) is None


def test_summaries_of_times_are_widened_and_those_of_memory_are_not() -> None:
    def intervals(samples: list[Sample]) -> dict[str, Any]:
        return {summary.metric: summary.interval for summary in summaries(samples)}

    plain = [sample(workload(), "x", n, rtf) for n, rtf in enumerate(times(1.0))]
    restless = [one.model_copy(update={"calibration_s": (1.0, 1.44)}) for one in plain]
    before, after = intervals(plain), intervals(restless)
    assert after["rtf"][0] == pytest.approx(before["rtf"][0] / 1.2)
    assert after["peak_rss_bytes"] == before["peak_rss_bytes"]
