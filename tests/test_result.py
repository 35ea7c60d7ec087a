"""Results: saved with what makes them again, and given as voices."""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.audio_tags import read_tags
from alrakis.errors import GenerationError, VoiceError
from alrakis.result import Result
from alrakis.sampling import MAX_SEED
from alrakis.spec import Layout
from alrakis.timings import Timings
from alrakis.voices import load_voice
from tests.results import same

SHORT = {"max_gen_duration_s": 0.3, "silent": True}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


def test_a_result_is_a_voice(engine: Engine, tmp_path: Path) -> None:
    result = engine.generate("hello", seed=1, **SHORT)
    path = result.save_voice(tmp_path / "mine.npz")
    spoken = [engine.generate("again", voice, seed=2, **SHORT) for voice in (result, path, str(path))]
    assert same(spoken[0], spoken[1])
    assert same(spoken[0], spoken[2])
    assert not same(spoken[0], engine.generate("again", seed=2, **SHORT))
    mixed = engine.generate(["again", "again"], [result, None], seed=[2, 2], **SHORT)
    assert same(mixed[0], spoken[0])
    assert not same(mixed[1], spoken[0])


def test_saved_audio_carries_what_makes_it_again(engine: Engine, tmp_path: Path) -> None:
    result = engine.generate("hello \u201cquoted\u201d", seed=77, **SHORT)
    tags = read_tags(result.save(tmp_path / "x.wav"))
    assert tags["text"] == "hello \u201cquoted\u201d"
    assert (tags["seed"], tags["weights"], tags["config"]) == ("77", "synthetic-tiny", "torch-fp32")


def test_no_speech_is_an_empty_result_with_a_warning(
    engine: Engine, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with caplog.at_level(logging.WARNING, "alrakis"):
        empty = engine.generate("hello", min_eos_p=0.0, seed=1, silent=True)
    assert "no audio" in caplog.text
    assert empty.audio.shape == (0,)
    assert empty.fine_tokens.shape == (8, 0)
    with pytest.raises(GenerationError, match="no speech"):
        empty.save(tmp_path / "x.wav")


def made(text: str = "hello", samples: int = 480, **changes: Any) -> Result:
    """A result by hand."""
    random = np.random.default_rng(1)
    result = Result(
        text=text,
        audio=random.uniform(-0.5, 0.5, samples).astype(np.float32),
        sample_rate=24_000,
        semantic_tokens=random.integers(0, 10_000, 20),
        coarse_tokens=random.integers(0, 1024, (2, 30)),
        fine_tokens=random.integers(0, 1024, (8, 30)),
        seed=7,
        voice=None,
        config="test",
        weights="test",
        timings=Timings(),
    )
    return replace(result, **changes)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200), st.integers(0, MAX_SEED))
def test_any_text_and_seed_are_read_back_from_the_file(text: str, seed: int) -> None:
    result = made(text, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        path = result.save(Path(folder) / "x.flac")
        found = read_tags(path)
        assert len(soundfile.read(path)[0]) == len(result.audio)
    assert (found["text"], int(found["seed"])) == (text, seed)
    assert {key: value for key, value in result.tags.items() if value} == {
        k: v for k, v in found.items() if v
    }
    assert " ".join(text.split()).startswith(found.get("title", ""))


def test_its_length_is_that_of_its_audio() -> None:
    assert made(samples=36_000).duration_s == 1.5
    assert made(samples=0).duration_s == 0.0


def test_a_saved_voice_holds_its_tokens(tmp_path: Path) -> None:
    result = made()
    voice = load_voice(result.save_voice(tmp_path / "x.npz"), Layout())
    assert voice is not None
    np.testing.assert_array_equal(voice.semantic, result.semantic_tokens)
    np.testing.assert_array_equal(voice.coarse, result.coarse_tokens)
    np.testing.assert_array_equal(voice.fine, result.fine_tokens)
    with pytest.raises(VoiceError, match="empty"):
        made(fine_tokens=np.empty((8, 0), np.int64)).save_voice(tmp_path / "y.npz")
