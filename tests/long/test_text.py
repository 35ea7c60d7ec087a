"""Long texts through a real engine: streams, steady voices, what is equal to what, and stopping."""

import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alrakis import Engine
from alrakis.audio_tags import read_tags
from alrakis.errors import BackendError, GenerationError, InputError, VoiceError
from alrakis.long.joining import finish, pause_after
from alrakis.long.pieces import Piece
from alrakis.result import Result
from alrakis.text.splitting import Chunk

SHORT: dict[str, Any] = {"max_gen_duration_s": 0.5, "min_eos_p": 0.001}


def text_of(count: int, *speakers: str | None) -> list[Chunk]:
    named = speakers or (None,)
    return [
        Chunk(f"This is number {i}.", "sentence" if i + 1 < count else "end", named[i % len(named)], 1.0)
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=4) as made:
        yield made


def one_by_one(engine: Engine, pieces: list[Piece], voices: list[Any]) -> None:
    """The chunks generated alone, with their seeds, are the pieces; joined by hand they are the audio."""
    for piece, voice in zip(pieces, voices, strict=True):
        alone = engine.generate(piece.chunk.text, voice, seed=piece.result.seed, silent=True, **SHORT)
        for name in ("semantic_tokens", "coarse_tokens", "fine_tokens"):
            assert np.array_equal(getattr(alone, name), getattr(piece.result, name))
        rate = alone.sample_rate
        finished = finish(alone.audio, rate, engine.config)
        joined = np.concatenate([finished, pause_after(piece.chunk.pause, rate, engine.config)])
        np.testing.assert_allclose(joined, piece.audio, atol=1e-5)


def test_the_joined_audio_is_that_of_the_chunks_one_at_a_time(engine: Engine) -> None:
    voice = engine.generate("a voice", seed=3, max_gen_duration_s=1.0, silent=True)
    whole = engine.generate_long(text_of(7), voice, seed=20, **SHORT)
    assert [piece.result.seed for piece in whole.pieces] == list(range(20, 27))
    assert whole.seed == 20
    one_by_one(engine, whole.pieces, [voice] * 7)
    assert np.array_equal(whole.audio, np.concatenate([piece.audio for piece in whole.pieces]))
    assert whole.duration_s == len(whole.audio) / whole.sample_rate


def test_a_stream_is_the_same_audio_piece_by_piece(engine: Engine) -> None:
    whole = engine.generate_long(text_of(6), seed=20, **SHORT)
    pieces = list(engine.stream(text_of(6), seed=20, **SHORT))
    assert [piece.index for piece in pieces] == list(range(6))
    np.testing.assert_allclose(np.concatenate([piece.audio for piece in pieces]), whole.audio, atol=1e-5)


def test_without_a_voice_each_speaker_keeps_that_of_his_first_chunk(engine: Engine) -> None:
    pieces = engine.generate_long(text_of(6, "A", "B"), seed=1, **SHORT).pieces
    first: list[Result] = [pieces[0].result, pieces[1].result]
    one_by_one(engine, pieces, [None, None, first[0], first[1], first[0], first[1]])


def test_the_cast_has_voices_and_everybody_else_the_voice(engine: Engine) -> None:
    one, two = (engine.generate("a voice", seed=i, max_gen_duration_s=1.0, silent=True) for i in range(2))
    pieces = list(engine.stream(text_of(4, "A", None), one, cast={"A": two}, seed=1, **SHORT))
    one_by_one(engine, pieces, [two, one, two, one])


def test_a_chain_goes_on_from_the_chunk_before(engine: Engine) -> None:
    pieces = list(engine.stream(text_of(4), seed=1, steady="chain", **SHORT))
    one_by_one(engine, pieces, [None, *(piece.result for piece in pieces[:3])])


def test_weights_with_one_speaker_need_no_voice() -> None:
    with Engine("demo", "torch-fp32") as demo:
        pieces = demo.generate_long(text_of(2), seed=1, max_gen_duration_s=0.5).pieces
        assert [piece.result.voice for piece in pieces] == [None, None]


def test_closing_a_stream_ends_the_work_in_the_middle_of_a_stage(engine: Engine) -> None:
    before = threading.active_count()
    stream = engine.stream(text_of(3), seed=1, allow_early_stop=False)  # some 15 s of audio each
    waiting = threading.Thread(target=lambda: list(islice(stream, 1)))
    closed = engine.stream(text_of(3), seed=1, **SHORT)
    next(closed)
    closed.close()
    assert threading.active_count() == before
    waiting.start()
    waiting.join()
    time.sleep(0.3)  # the second chunk is in its stages
    stream.close()
    assert threading.active_count() == before
    assert len(engine.generate("and then", seed=1, silent=True, **SHORT).audio)  # nothing is held


def test_work_goes_on_while_a_piece_is_used_but_not_without_end(engine: Engine) -> None:
    stream = engine.stream(text_of(40), seed=1, max_gen_duration_s=0.1)
    next(stream)
    deadline = time.monotonic() + 60
    while _waiting(stream) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    assert _waiting(stream) == 8  # two batches
    assert len(list(stream)) == 39


def _waiting(stream: Any) -> int:
    worker = stream.gi_frame.f_locals["worker"]
    size: int = worker.made.qsize()
    return size


def test_what_goes_wrong_in_the_work_is_raised_to_the_listener() -> None:
    engine = Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=1)
    stream = engine.stream(text_of(9), seed=1, **SHORT)
    next(stream)
    engine.close()
    with pytest.raises(BackendError, match="closed"):
        list(stream)


def test_whoever_watches_may_stop_the_work(engine: Engine) -> None:
    seen: dict[str, float] = {}

    def watch(part: str, seconds: float) -> None:
        seen[part] = seen.get(part, 0.0) + seconds
        if part == "fine":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.generate_long(text_of(3), seed=1, on_move=watch, **SHORT)
    assert set(seen) == {"text", "coarse", "fine"}


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


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, InputError),
        ({"text": []}, InputError),
        ({"text": text_of(1), "steady": "rock"}, InputError),
        ({"text": text_of(1), "seed": -1}, InputError),
        ({"text": text_of(1), "voice": "v2/en_speaker_61"}, VoiceError),
        ({"text": text_of(1), "cast": {"A": "v2/en_speaker_61"}}, VoiceError),
        ({"text": text_of(1), "text_temp": -1}, InputError),
        ({"text": text_of(1), "max_gen_duration_s": -1}, InputError),
    ],
)
def test_mistakes_are_told_before_any_work(
    engine: Engine, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        engine.stream(**arguments)
    with pytest.raises(error):
        engine.generate_long(**arguments)


def test_a_text_is_split_with_a_short_opening(engine: Engine) -> None:
    text = "The first sentence is here. " * 20 + "\n\nAnother paragraph."
    pieces = engine.generate_long(text, seed=1, max_gen_duration_s=0.1).pieces
    assert " ".join(piece.chunk.text for piece in pieces) == " ".join(text.split())
    assert (
        pieces[0].chunk.seconds <= engine.config.opening_s < pieces[2].chunk.seconds <= engine.config.pack_s
    )
    assert [piece.chunk.pause for piece in pieces[-2:]] == ["paragraph", "end"]
