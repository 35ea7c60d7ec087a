"""Drawing on torch against `alrakis.sampling.draw`."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alrakis import sampling as reference
from alrakis.backends.torch.sampling import draw, read_tokens, restrict
from alrakis.errors import GenerationError, InputError
from alrakis.sampling import Noise, Sampling

TINY = float(np.finfo(np.float32).tiny)
SEEDS = st.integers(0, 2**32)


@st.composite
def logits_of_rows(draw_from: st.DrawFn) -> np.ndarray:
    """Logits `(B, C)` float32 without ties: drawn widely or narrowly, some of them infinitely unlikely."""
    rows, candidates = draw_from(st.integers(1, 4)), draw_from(st.integers(2, 300))
    random = np.random.default_rng(draw_from(SEEDS))
    spread = draw_from(st.sampled_from([0.01, 1.0, 5.0, 60.0]))
    logits = (random.standard_normal((rows, candidates)) * spread).astype(np.float32)
    if draw_from(st.booleans()):
        logits[:, random.integers(candidates)] = -np.inf
    return logits


@st.composite
def ways(draw_from: st.DrawFn) -> Sampling:
    return Sampling(
        draw_from(st.sampled_from([0.0, 1e-40, 0.05, 0.5, 0.7, 1.0, 2.5])),
        draw_from(st.none() | st.integers(1, 320)),
        draw_from(st.none() | st.floats(0.01, 1.2)),
        draw_from(st.none() | st.floats(0.001, 1.2)),
    )


def borderline(logits: np.ndarray, sampling: Sampling) -> bool:
    """Whether rounding alone decides who is excluded by top_p, or whether stop_p is reached."""
    ranked = np.sort(logits.astype(np.float64), -1)[:, ::-1]
    if sampling.top_p is not None:
        weights = np.exp(ranked - ranked[:, :1])
        cumulative = np.cumsum(weights / weights.sum(-1, keepdims=True), -1)
        if (np.abs(cumulative - sampling.top_p) < 1e-5).any():
            return True
    if sampling.stop_p is not None and not sampling.greedy:
        left = reference.restrict(logits, sampling).astype(np.float64)
        weights = np.exp((left - left.max(-1, keepdims=True)) / max(sampling.temperature, TINY))
        return bool((np.abs(weights[:, -1] / weights.sum(-1) - sampling.stop_p) < 1e-5).any())
    return False


@settings(max_examples=300)
@given(logits_of_rows(), ways(), SEEDS)
def test_the_same_tokens_as_the_reference(logits: np.ndarray, sampling: Sampling, seed: int) -> None:
    assume(not borderline(logits, sampling))
    noise = Noise(range(seed, seed + len(logits)), "text").step(0, logits.shape[-1])
    expected = reference.draw(logits.copy(), noise, sampling)
    drawn = draw(torch.tensor(logits), None if sampling.greedy else torch.tensor(noise), sampling)
    if not np.array_equal(drawn.numpy(), expected):
        assert_tied(logits, noise, sampling, drawn.numpy(), expected)


def assert_tied(
    logits: np.ndarray, noise: np.ndarray, sampling: Sampling, drawn: np.ndarray, expected: np.ndarray
) -> None:
    """Two candidates may be exchanged only where both arrive within rounding of each other."""
    left = reference.restrict(logits, sampling).astype(np.float64)
    with np.errstate(divide="ignore"):
        arrival = np.log(noise) - (left - left.max(-1, keepdims=True)) / max(sampling.temperature, TINY)
    for row in np.flatnonzero(drawn != expected):
        assert not sampling.greedy
        assert abs(arrival[row, drawn[row]] - arrival[row, expected[row]]) < 1e-5


@settings(max_examples=100)
@given(logits_of_rows(), st.integers(1, 320), st.none() | st.floats(0.01, 1.2))
def test_the_same_candidates_are_left(logits: np.ndarray, top_k: int, top_p: float | None) -> None:
    sampling = Sampling(1.0, top_k, top_p)
    assume(not borderline(logits, sampling))
    left = restrict(torch.tensor(logits), sampling).numpy()
    np.testing.assert_array_equal(left, reference.restrict(logits, sampling))


def test_more_dimensions_and_lower_precision_are_drawn_in_float32() -> None:
    logits = torch.randn(2, 500, 400, generator=torch.Generator().manual_seed(0), dtype=torch.bfloat16)
    noise = Noise([3, 4], "fine").step(1, 500, 400)
    drawn = draw(logits, torch.tensor(noise), Sampling(0.5))
    expected = reference.draw(logits.float().numpy(), noise, Sampling(0.5))
    assert np.array_equal(drawn.numpy(), expected)


def test_the_last_candidate_is_chosen_once_it_is_likely_enough() -> None:
    logits = torch.log(torch.tensor([[0.6, 0.15, 0.25], [0.6, 0.25, 0.15]]))
    noise = torch.tensor([[1.0, 50.0, 50.0]] * 2)
    assert draw(logits, noise, Sampling(1.0, stop_p=0.2)).tolist() == [2, 0]
    assert draw(logits, noise, Sampling(1.0)).tolist() == [0, 0]


@pytest.mark.parametrize("sampling", [Sampling(0), Sampling(0.7), Sampling(0.7, 3, 0.9, 0.2)])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_only_a_row_that_is_not_a_number_fails_and_only_when_read(sampling: Sampling, value: float) -> None:
    logits = torch.arange(12.0).reshape(3, 4)
    logits[1, 2] = value
    tokens = draw(logits, torch.ones(3, 4), sampling)
    assert tokens[1] == -1
    assert (tokens[[0, 2]] >= 0).all()
    assert read_tokens(tokens[[0, 2]]).dtype == np.int64
    with pytest.raises(GenerationError, match="not a number"):
        read_tokens(tokens)


def test_noise_is_asked_for_above_temperature_0() -> None:
    with pytest.raises(InputError, match="needs noise"):
        draw(torch.zeros(1, 3), None, Sampling(0.5))
