"""The noise of draws: what it depends on, that it is exponential, and that it is numpy's Philox."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from alrakis.sampling import MAX_SEED, Draw, FloatArray, Noise, Sampling, StageNoise, _exponential
from alrakis.spec import STAGES, Stage

ALL = Sampling(1.0)
seeds = st.integers(0, MAX_SEED)


@given(
    rows=st.lists(seeds, min_size=1, max_size=4),
    stage=st.sampled_from(STAGES),
    step=st.integers(0, 2**63),
    shape=st.sampled_from([(1,), (7,), (1024,), (10_001,), (3, 50)]),
    data=st.data(),
)
def test_noise_depends_on_seed_stage_and_step_alone(
    rows: list[int], stage: Any, step: int, shape: tuple[int, ...], data: st.DataObject
) -> None:
    noise = Noise(rows, stage)
    made = noise.step(step, *shape)
    assert made.dtype == np.float32
    assert made.shape == (len(rows), *shape)
    np.testing.assert_array_equal(made, noise.step(step, *shape))  # again
    for row, seed in enumerate(rows):
        np.testing.assert_array_equal(made[row], Noise([seed], stage).step(step, *shape)[0])  # alone
    shorter = data.draw(st.integers(1, shape[0]))
    np.testing.assert_array_equal(made[:, :shorter], noise.step(step, shorter, *shape[1:]))  # prefix
    kept = sorted(data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1)))
    left = Noise([rows[row] for row in kept], stage)
    np.testing.assert_array_equal(made[kept], left.step(step, *shape))  # in less company


@given(
    draws=st.lists(st.tuples(seeds, st.integers(0, 2**40)), min_size=1, max_size=5),
    stage=st.sampled_from(STAGES),
    candidates=st.integers(1, 40) | st.sampled_from([1024, 10_001]),
)
def test_rows_at_steps_of_their_own(draws: list[tuple[int, int]], stage: Stage, candidates: int) -> None:
    made = StageNoise(stage).rows([Draw(seed, step, ALL) for seed, step in draws], candidates)
    assert made.dtype == np.float32
    for row, (seed, step) in zip(made, draws, strict=True):
        np.testing.assert_array_equal(row, Noise([seed], stage).step(step, candidates)[0])


@given(
    seed=seeds,
    step=st.integers(0, 2**40),
    frames=st.integers(1, 12),
    candidates=st.integers(1, 30),
    data=st.data(),
)
def test_frames_from_any_first_one_on(
    seed: int, step: int, frames: int, candidates: int, data: st.DataObject
) -> None:
    noise = StageNoise("fine")
    whole = noise.frames(seed, step, 0, frames, candidates)
    np.testing.assert_array_equal(whole, Noise([seed], "fine").step(step, frames, candidates)[0])
    first = data.draw(st.integers(0, frames))
    np.testing.assert_array_equal(noise.frames(seed, step, first, frames, candidates), whole[first:])


def numpys_words(seed: int, stage: Stage, step: int, count: int) -> Any:
    """Bits of `count` candidates, by numpy's generator as it is made anew."""
    key = np.array([seed, STAGES.index(stage)], np.uint64)
    counter = np.array([0, step, 0, 0], np.uint64)
    words = np.random.Philox(counter=counter, key=key).random_raw(-(-count // 2))
    return words.astype("<u8").view("<u4")[:count]


@given(seed=seeds, stage=st.sampled_from(STAGES), step=st.integers(0, 2**63 - 1))
def test_noise_is_the_logarithm_of_numpys_words(seed: int, stage: Stage, step: int) -> None:
    """-log(1 - u) in float64, to eight units in the last place; 5.0 was the most of 120 million."""
    made = StageNoise(stage).rows([Draw(seed, step, ALL)], 2001)[0]
    exact = -np.log1p(-(numpys_words(seed, stage, step, 2001) / 2**32))
    assert (np.abs(made - exact) <= 8 * np.spacing(made)).all()


@given(seed=seeds, stage=st.sampled_from(STAGES), step=st.integers(0, 2**40))
def test_noise_differs_by_seed_stage_and_step(seed: int, stage: Any, step: int) -> None:
    made = Noise([seed], stage).step(step, 16)
    assert (made != Noise([(seed + 1) & MAX_SEED], stage).step(step, 16)).all()
    assert (made != Noise([seed], stage).step(step + 1, 16)).all()
    for other in set(STAGES) - {stage}:
        assert (made != Noise([seed], other).step(step, 16)).all()


@pytest.fixture(scope="module")
def ten_million() -> FloatArray:
    """Noise of 1,000 steps, 10,000 candidates each."""
    return StageNoise("text").rows([Draw(step % 7, step, ALL) for step in range(1000)], 10_000)


def test_noise_is_standard_exponential(ten_million: FloatArray) -> None:
    made = ten_million.ravel().astype(float)
    assert made.min() > 0
    assert np.isfinite(made).all()
    assert kstest(made, "expon").pvalue > 1e-3


@pytest.mark.parametrize("beyond", [3, 6, 9, 12])
def test_the_tail_is_exponential(ten_million: FloatArray, beyond: float) -> None:
    expected = ten_million.size * math.exp(-beyond)
    assert abs(np.count_nonzero(ten_million > beyond) - expected) < 4 * math.sqrt(expected)


def test_the_least_of_a_step_is_exponential(ten_million: FloatArray) -> None:
    """Races are decided by the smallest numbers: that of 10,000 is exponential with a mean of 1 / 10,000."""
    least = ten_million.min(-1).astype(float) * 10_000
    assert kstest(least, "expon").pvalue > 1e-3


def test_small_numbers_are_not_quantized(ten_million: FloatArray) -> None:
    """Those below 2**-16 are multiples of 2**-32, and hardly ever of 2**-24."""
    small = ten_million[ten_million < 2**-16].astype(float)
    assert abs(small.size - ten_million.size / 2**16) < 4 * math.sqrt(ten_million.size / 2**16)
    in_steps = small * 2**24
    assert np.count_nonzero(in_steps == np.round(in_steps)) < small.size / 20
    assert len(np.unique(small)) > 0.9 * small.size


def test_the_smallest_and_the_largest_bits() -> None:
    """Below 2**-24 every one of the 32 bits counts; 0 is kept away, and so is infinity."""
    bits = np.arange(512)
    made = _exponential(bits.astype(np.float32))
    exact = -np.log1p(-(bits[1:] / 2**32))
    assert (np.abs(made[1:] - exact) <= 4 * np.spacing(made[1:])).all()
    assert made[0] == 2**-33
    assert made[1] == 2**-32
    assert (made[:256] < 2**-24).all()
    largest = _exponential(np.arange(-3, 0).astype(np.float32))  # u = 1 - 3 / 2**32 and on
    np.testing.assert_allclose(largest, -np.log(np.array([3, 2, 1]) / 2**32), rtol=1e-7)


def test_a_seed_keeps_its_meaning() -> None:
    """What a seed says must be the same in every release, and with every release of numpy."""
    np.testing.assert_allclose(
        Noise([0], "text").step(0, 4), [[0.0353597674, 0.0116139357, 0.946621752, 0.276477342]], rtol=1e-6
    )
    np.testing.assert_allclose(
        Noise([MAX_SEED], "fine").step(767, 4),
        [[0.421806834, 0.332998957, 0.829452078, 1.74416088]],
        rtol=1e-6,
    )
