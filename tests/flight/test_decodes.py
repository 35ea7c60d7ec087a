"""Codec decodes: of lengths alike together, each as it is alone."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from alrakis.backends.torch.codec import TorchCodec
from alrakis.flight.decodes import ALIKE, SHORTEST, decode, together
from alrakis.flight.sequence import Caller, Sequence
from alrakis.sampling import Sampling
from alrakis.stages.asks import Decode, Run, Steps
from alrakis.timings import Clock
from tests.backends.tiny import codec_weights
from tests.toys import ToyCodec


def sequence(frames: int, seed: int = 0) -> Sequence[Any]:
    def steps() -> Steps[Any]:
        made = yield Decode(np.random.default_rng(seed).integers(0, 1024, (8, frames)), 0.1)
        return made

    return Sequence(steps(), Caller(), Clock())


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.integers(1, 6))
def test_those_about_as_long_are_decoded_together(lengths: list[int], rows: int) -> None:
    moving = [sequence(frames, seed) for seed, frames in enumerate(lengths)]
    found = together(moving, rows)
    assert found[0] is moving[0]
    assert len(found) <= rows
    frames = [one.ask.codes.shape[1] for one in found]
    if len(found) > 1:
        assert min(frames) >= max(SHORTEST, ALIKE * max(frames))
    for one, samples in zip(found, decode(ToyCodec(), found), strict=True):
        np.testing.assert_array_equal(samples, ToyCodec().decode(one.ask.codes[None])[0])


def test_what_is_padded_behind_a_row_changes_nothing() -> None:
    codec = TorchCodec(codec_weights(), torch.device("cpu"))
    moving = [sequence(frames, frames) for frames in (SHORTEST, 10, 9)]
    assert together(moving, 8) == moving
    for one, samples in zip(moving, decode(codec, moving), strict=True):
        alone = codec.decode(one.ask.codes[None])[0]
        assert samples.shape == alone.shape
        np.testing.assert_allclose(samples, alone, atol=1e-5 * np.abs(alone).max(), rtol=1e-4)


def test_what_is_no_decode_has_no_place_here() -> None:
    def run() -> Steps[None]:
        yield Run("text", 0, Sampling(0.7), np.arange(3), (0,), 0, 1, 0.1)

    for call in (lambda one: together([one, one], 2), lambda one: decode(ToyCodec(), [one])):
        with pytest.raises(TypeError, match="no codec decode"):
            call(Sequence(run(), Caller(), Clock()))
