"""Pieces, and the audio that they are joined to."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Config, Engine
from alrakis.audio_tags import read_tags
from alrakis.errors import GenerationError
from alrakis.long.pieces import join, long_tags, make_piece
from alrakis.result import Result
from alrakis.timings import Timings
from tests.long.spoken import SHORT, one_by_one, text_of


def test_the_joined_audio_is_that_of_the_chunks_one_at_a_time(engine: Engine) -> None:
    voice = engine.generate("a voice", seed=3, max_gen_duration_s=1.0, silent=True)
    whole = engine.generate_long(text_of(7), voice, seed=20, **SHORT)
    assert [piece.result.seed for piece in whole.pieces] == list(range(20, 27))
    assert whole.seed == 20
    one_by_one(engine, whole.pieces, [voice] * 7)
    assert np.array_equal(whole.audio, np.concatenate([piece.audio for piece in whole.pieces]))
    assert whole.duration_s == len(whole.audio) / whole.sample_rate


def test_silent_chunks_are_passed_over(engine: Engine, tmp_path: Path) -> None:
    silent = engine.generate_long(text_of(3), seed=1, min_eos_p=0.0)
    assert len(silent.audio) == 0
    with pytest.raises(GenerationError):
        silent.save(tmp_path / "x.wav")


def test_joining_follows_the_config_and_the_file_says_what_it_is(tmp_path: Path) -> None:
    with Engine("synthetic-tiny", "torch-fp32", threads=1, trim_silence_db=0.0, fade_s=0.0) as plain:
        whole = plain.generate_long(text_of(3), seed=4, **SHORT)
        silence = np.zeros(round(0.3 * 24_000), np.float32)
        parts = [part for piece in whole.pieces for part in (piece.result.audio, silence)]
        assert np.array_equal(whole.audio, np.concatenate(parts[:-1]))
        tags = read_tags(whole.save(tmp_path / "x.flac"))
        assert (tags["seed"], tags["text"]) == ("4", " ".join(chunk.text for chunk in text_of(3)))


def result(seed: int, length: int) -> Result:
    tokens = np.zeros(1, np.int64), np.zeros((2, 1), np.int64), np.zeros((8, 1), np.int64)
    audio = np.full(length, 0.25, np.float32)
    return Result("a", audio, 24_000, *tokens, seed, None, "c", "w", Timings())


@given(st.lists(st.sampled_from([0, 3000]), min_size=6, max_size=6))
def test_a_piece_is_a_chunk_with_the_pause_that_follows(lengths: list[int]) -> None:
    config, chunks = Config(backend="torch", trim_silence_db=0.0), text_of(6)
    taken = [make_piece(i, chunks[i], result(i, lengths[i]), config) for i in range(6)]
    for piece in taken:
        assert piece.chunk is chunks[piece.index]
        pause = 0.3 * 24_000 if lengths[piece.index] and piece.index < 5 else 0
        assert len(piece.audio) == lengths[piece.index] + pause
        assert piece.duration_s == len(piece.audio) / piece.sample_rate
    assert len(join("a", taken).audio) == sum(len(piece.audio) for piece in taken)


@given(st.text(max_size=3000))
def test_tags_hold_a_long_text_s_beginning(text: str) -> None:
    tags = long_tags(text, {"seed": "7", "text": "another", "voice": ""})
    assert (tags["seed"], tags["voice"]) == ("7", "")
    assert text.startswith(tags["text"])
    assert len(tags["text"]) == min(len(text), 2000)
    assert " ".join(text.split()).startswith(tags["title"])
    assert len(tags["title"]) <= 80
