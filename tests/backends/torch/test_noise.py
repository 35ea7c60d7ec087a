"""Noise in torch's integers: numpy's Philox to the bit, and `StageNoise` to the last places."""

from typing import Any

import numpy as np
import pytest
import torch
import torch._dynamo
from hypothesis import given
from hypothesis import strategies as st

from alrakis.backends.torch import noise as torch_noise
from alrakis.backends.torch.noise import AHEAD, DeviceNoise, HostNoise, exponential, noise_on, philox
from alrakis.sampling import Draw, FloatArray, Sampling, StageNoise
from alrakis.spec import STAGES, Stage

CPU = torch.device("cpu")
ALL = Sampling(1.0)
seeds = st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
steps = st.integers(0, 2**40) | st.sampled_from([2**62, 2**63 - 1])
stages = st.sampled_from(STAGES)


def signed(word: int) -> int:
    return word - 2**64 if word >= 2**63 else word


def close(found: torch.Tensor, expected: FloatArray) -> None:
    """Within five units in the last place, of which numpy's logarithm alone takes up to four."""
    assert found.dtype == torch.float32
    assert found.shape == expected.shape
    assert (np.abs(found.numpy() - expected) <= 5 * np.spacing(expected)).all()


@given(seed=seeds, stage=stages, step=steps, first=st.integers(0, 2**50), blocks=st.integers(1, 20))
def test_words_are_numpys(seed: int, stage: Stage, step: int, first: int, blocks: int) -> None:
    number = STAGES.index(stage)
    lanes = torch.arange(first + 1, first + 1 + blocks)
    words = torch.stack(philox(lanes, torch.tensor([step]), torch.tensor([signed(seed)]), number), -1)
    key, counter = np.array([seed, number], np.uint64), np.array([first, step, 0, 0], np.uint64)
    expected = np.random.Philox(counter=counter, key=key).random_raw(4 * blocks)
    np.testing.assert_array_equal(words.numpy().view(np.uint64).ravel(), expected)


@given(st.lists(st.tuples(seeds, steps), min_size=1, max_size=4), stages, st.sampled_from([1, 7, 61, 10_001]))
def test_rows_are_the_hosts(rows: list[tuple[int, int]], stage: Stage, candidates: int) -> None:
    draws = [Draw(seed, min(step, 2**63 - 1 - AHEAD), ALL) for seed, step in rows]
    expected = StageNoise(stage).rows(draws, candidates)
    close(DeviceNoise(stage, CPU).rows(draws, candidates), expected)
    np.testing.assert_array_equal(HostNoise(stage).rows(draws, candidates), expected)


@given(
    st.lists(st.tuples(seeds, steps), min_size=1, max_size=3),
    st.integers(1, 9),
    st.integers(1, 40),
    st.data(),
)
def test_frames_are_the_hosts(
    rows: list[tuple[int, int]], frames: int, candidates: int, data: st.DataObject
) -> None:
    """From any first frame on, whether or not a block of words begins there."""
    first = data.draw(st.integers(0, frames - 1))
    draws = [Draw(seed, step, ALL) for seed, step in rows]
    made = StageNoise("fine")
    expected = np.stack([made.frames(own.seed, own.step, first, frames, candidates) for own in draws])
    close(DeviceNoise("fine", CPU).frames(draws, first, frames, candidates), expected)
    np.testing.assert_array_equal(HostNoise("fine").frames(draws, first, frames, candidates), expected)


@given(st.data())
def test_rows_join_leave_and_run_at_steps_of_their_own(data: st.DataObject) -> None:
    """Whatever was made ahead, each draw gets the noise of its own seed and step."""
    noise, host = DeviceNoise("coarse", CPU), StageNoise("coarse")
    under_way: dict[int, int] = {}  # by seed, the next step
    for _ in range(data.draw(st.integers(1, 25))):
        what = data.draw(
            st.sampled_from(["step", "step", "step", "some", "join", "leave", "jump", "release"])
        )
        seed = data.draw(st.sampled_from([3, 5, 8, 2**64 - 1]))
        if what == "join":
            under_way[seed] = data.draw(st.integers(0, 40))
        elif what == "leave":
            under_way.pop(seed, None)
        elif what == "jump" and seed in under_way:
            under_way[seed] += data.draw(st.integers(-under_way[seed], 40))
        elif what == "release":
            noise.release()
        elif under_way:
            moving = sorted(under_way)
            if what == "some":
                moving = sorted(data.draw(st.sets(st.sampled_from(moving), min_size=1)))
            draws = [Draw(seed, under_way[seed], ALL) for seed in moving]
            candidates = data.draw(st.sampled_from([16, 16, 16, 9]))
            close(noise.rows(draws, candidates), host.rows(draws, candidates))
            for seed in moving:
                under_way[seed] += 1


def test_steps_are_made_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the same rows go on, whatever steps they are at: so a step starts no kernels for noise."""
    made: list[Any] = []

    def counted(*args: Any) -> torch.Tensor:
        made.append(args)
        return exponential(*args)

    monkeypatch.setattr(torch_noise, "exponential", counted)
    noise = DeviceNoise("text", CPU)
    for done in range(5 * AHEAD):
        noise.rows([Draw(1, done, ALL), Draw(2, 100 + done, ALL)], 16)
    assert len(made) == 5
    noise.release()
    assert not noise._block.numel()


def test_a_cpu_has_numpys_noise_and_a_device_its_own() -> None:
    assert type(noise_on("text", CPU)) is HostNoise
    assert type(noise_on("text", torch.device("cuda"))) is DeviceNoise


def test_it_compiles_to_one_graph_of_the_same_numbers() -> None:
    torch._dynamo.reset()
    keys, at = torch.tensor([[5], [signed(2**64 - 1)]]), torch.tensor([[3, 4], [700, 2**40]])
    compiled = torch.compile(exponential, fullgraph=True, backend="aot_eager")
    found = compiled(keys, 1, at, 0, 1000)
    draws = [[Draw(5, 3, ALL), Draw(5, 4, ALL)], [Draw(2**64 - 1, 700, ALL), Draw(2**64 - 1, 2**40, ALL)]]
    close(found, np.stack([StageNoise("coarse").rows(own, 1000) for own in draws]))
    torch._dynamo.reset()
