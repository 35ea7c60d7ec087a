"""What is done to chunks before they follow each other: silence, fades, loudness, pauses."""

import sys
from typing import Any

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.config import Config
from alrakis.errors import BackendError
from alrakis.long.joining import even_loudness, fade_edges, finish, pause_after, trim_silence

RATE = 24_000
OFF = {"trim_silence_db": 0.0, "fade_s": 0.0}


def config(**changes: Any) -> Config:
    return Config(backend="torch", **changes)


def tone(seconds: float, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(np.arange(round(seconds * RATE)) * 0.1)).astype(np.float32)


def quiet(seconds: float, level: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal(round(seconds * RATE))
    return (level * noise).astype(np.float32)


@pytest.mark.parametrize("level", [0.0, 0.0003])
def test_silent_edges_go_and_nothing_else(level: float) -> None:
    before, inside, after = quiet(0.5, level), quiet(0.3, level), quiet(0.8, level)
    sound = np.concatenate([tone(0.4), inside, tone(0.2)])
    trimmed = trim_silence(np.concatenate([before, sound, after]), RATE, -45)
    assert len(sound) <= len(trimmed) <= len(sound) + 0.12 * RATE
    start = next(i for i in range(2000) if np.array_equal(trimmed[i : i + len(sound)], sound))
    assert start <= 0.05 * RATE + 1


def test_silence_alone_becomes_empty_and_empty_stays_empty() -> None:
    assert len(trim_silence(quiet(0.5), RATE, -45)) == 0
    assert len(finish(np.empty(0, np.float32), RATE, config(loudness_lufs=-20.0))) == 0


@given(st.integers(0, 300), st.integers(0, 400))
def test_fades_begin_and_end_at_nothing_and_touch_no_more_than_the_edges(length: int, fade: int) -> None:
    audio = np.ones(length, np.float32)
    faded = fade_edges(audio, fade)
    edge = min(fade, length // 2)
    assert faded.shape == audio.shape
    assert (faded[edge : length - edge] == 1).all()
    if edge:
        assert faded[0] == faded[-1] == 0
        assert (np.diff(faded[:edge]) >= 0).all()
        assert np.array_equal(faded, faded[::-1])
    assert (audio == 1).all()  # what was given is left alone


@pytest.mark.parametrize("seconds", [0.1, 0.39, 0.41, 3.0])
@pytest.mark.parametrize("level", [0.01, 0.9])
def test_loudness_is_what_was_asked_for(seconds: float, level: float) -> None:
    evened = even_loudness(tone(seconds, level), RATE, -20.0)
    meter = pyloudnorm.Meter(RATE, block_size=min(0.4, seconds))
    assert meter.integrated_loudness(evened.astype(np.float64)) == pytest.approx(-20.0, abs=0.1)


def test_loudness_stops_where_peaks_would_clip() -> None:
    clicks = quiet(1.0, 0.001)
    clicks[::4000] = 0.5
    assert np.abs(even_loudness(clicks, RATE, -5.0)).max() == pytest.approx(0.99)
    assert np.array_equal(even_loudness(quiet(0.5), RATE, -20.0), quiet(0.5))


def test_without_pyloudnorm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyloudnorm", None)
    assert len(finish(tone(0.5), RATE, config()))
    with pytest.raises(BackendError, match=r"alrakis\[loudness\]"):
        finish(tone(0.5), RATE, config(loudness_lufs=-20.0))


def test_everything_can_be_off() -> None:
    audio = np.concatenate([quiet(0.5), tone(0.2), quiet(0.5)])
    assert np.array_equal(finish(audio, RATE, config(**OFF)), audio)


def test_pauses_are_those_of_the_boundary() -> None:
    changed = config(pause_clause_s=0.1, pause_sentence_s=0.2, pause_turn_s=0.3, pause_paragraph_s=0.4)
    lengths = {"none": 0.0, "clause": 0.1, "sentence": 0.2, "turn": 0.3, "paragraph": 0.4, "end": 0.0}
    for boundary, seconds in lengths.items():
        pause = pause_after(boundary, RATE, changed)
        assert len(pause) == seconds * RATE
        assert not pause.any()
