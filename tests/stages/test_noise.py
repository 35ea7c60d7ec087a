"""Noise for draws to come: that of every step, however it is asked for, in few uploads."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.sampling import FloatArray, Noise, Sampling
from alrakis.spec import STAGES, Stage
from alrakis.stages.noise import NoiseAhead
from tests.toys import ToyGPT

CANDIDATES = 5
DRAWN = Sampling(0.7)


class Uploading(ToyGPT):
    """A toy that counts what is brought to it."""

    def __init__(self) -> None:
        super().__init__("text", [range(CANDIDATES)])
        self.uploads = 0

    def upload(self, noise: FloatArray) -> FloatArray:
        self.uploads += 1
        return super().upload(noise)


def ahead_of(seeds: list[int], stage: Stage = "text", **options: Any) -> NoiseAhead:
    return NoiseAhead(Uploading(), Noise(seeds, stage), CANDIDATES, DRAWN, **options)


@given(
    seeds=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4),
    stage=st.sampled_from(STAGES),
    ahead=st.integers(1, 8),
    data=st.data(),
)
def test_every_step_has_its_own_noise_whatever_was_asked_before(
    seeds: list[int], stage: Stage, ahead: int, data: st.DataObject
) -> None:
    """Steps that follow each other, looks ahead, jumps, and rows that leave."""
    noise, step = ahead_of(seeds, stage, ahead=ahead), 0
    for _ in range(data.draw(st.integers(1, 12))):
        np.testing.assert_array_equal(noise.at(step), Noise(seeds, stage).step(step, CANDIDATES))
        count = data.draw(st.integers(1, ahead))
        upcoming = noise.upcoming(step + 1, [0] * count)
        assert (upcoming.sampling, upcoming.heads) == (DRAWN, [0] * count)
        for i in range(count):
            np.testing.assert_array_equal(
                upcoming.noise(i), Noise(seeds, stage).step(step + 1 + i, CANDIDATES)
            )
        kept = sorted(data.draw(st.sets(st.integers(0, len(seeds) - 1), min_size=1)))
        if len(kept) < len(seeds):
            noise.keep(np.array(kept))
            seeds = [seeds[row] for row in kept]
        step += data.draw(st.sampled_from([1, 1, 1, 2, 30]))


@pytest.mark.parametrize("looks", [False, True])
def test_steps_are_brought_in_blocks(looks: bool) -> None:
    gpt = Uploading()
    noise = NoiseAhead(gpt, Noise([1], "text"), CANDIDATES, DRAWN, ahead=4)
    for step in range(40):
        noise.at(step)
        if looks:  # as a backend that guesses does, up to four steps ahead
            noise.upcoming(step + 1, [0] * 4).noise(3)
    assert gpt.uploads == 10 + looks


def test_greedy_draws_need_none() -> None:
    gpt = Uploading()
    noise = NoiseAhead(gpt, Noise([1], "text"), CANDIDATES, Sampling(0))
    assert noise.at(3) is None
    assert noise.upcoming(4, [0]).noise(0) is None
    assert gpt.uploads == 0
