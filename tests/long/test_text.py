"""Long texts: how they are split, who says what, and streams through a real engine."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Config, Engine
from alrakis.errors import InputError, VoiceError
from alrakis.long.text import split_long, voices_of
from alrakis.text.splitting import split_text
from alrakis.weights import open_weights
from tests.long.spoken import SHORT, text_of


def test_a_stream_is_the_same_audio_piece_by_piece(engine: Engine) -> None:
    whole = engine.generate_long(text_of(6), seed=20, **SHORT)
    pieces = list(engine.stream(text_of(6), seed=20, **SHORT))
    assert [piece.index for piece in pieces] == list(range(6))
    np.testing.assert_allclose(np.concatenate([piece.audio for piece in pieces]), whole.audio, atol=1e-5)


def test_whoever_watches_may_stop_the_work(engine: Engine) -> None:
    seen: dict[str, float] = {}

    def watch(part: str, seconds: float) -> None:
        seen[part] = seen.get(part, 0.0) + seconds
        if part == "fine":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.generate_long(text_of(3), seed=1, on_move=watch, **SHORT)
    assert set(seen) == {"text", "coarse", "fine"}


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


CONFIG = Config(backend="torch")
ENCODER = open_weights("demo").tokenizer()
words = st.sampled_from(["one", "two.", "three,", "A: four!", "B: five?", "six\n\n", "seven; eight", "9."])


@given(st.lists(words, min_size=1, max_size=60).map(" ".join), st.sampled_from([1.0, 3.0, 8.0]))
def test_only_the_first_chunk_is_cut_for_the_opening(text: str, opening_s: float) -> None:
    config = CONFIG.model_copy(update={"opening_s": opening_s})
    chunks = split_long(text, ENCODER, config, cast=["A"])
    plain = split_text(text, ENCODER, language="en", max_s=config.chunk_s, pack_s=config.pack_s, cast=["A"])
    behind = len(plain) - 1
    assert chunks[len(chunks) - behind :] == plain[1:]
    opening = chunks[: len(chunks) - behind]
    assert "".join("".join(chunk.text.split()) for chunk in opening) == "".join(plain[0].text.split())
    assert {chunk.speaker for chunk in opening} == {plain[0].speaker}
    assert opening[-1].pause == plain[0].pause
    if plain[0].seconds <= opening_s:
        assert opening == plain[:1]
    elif len(opening) > 1:
        assert opening[0].seconds <= opening_s


def test_a_text_without_a_word_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        split_long(" \n", ENCODER, CONFIG)


def test_the_cast_and_everybody_else_have_voices_unless_the_first_chunk_is_to_give_them(
    engine: Engine,
) -> None:
    chunks = text_of(3, "A", "B", None)
    first, second = (engine.generate("a voice", seed=i, silent=True, **SHORT) for i in range(2))
    by_speaker = voices_of(engine, second, {"A": first}, chunks)
    assert by_speaker.keys() == {"A", "B", None}
    fine = {name: voice.fine for name, voice in by_speaker.items() if voice}
    np.testing.assert_array_equal(fine["A"], first.fine_tokens)
    np.testing.assert_array_equal(fine["B"], second.fine_tokens)
    assert voices_of(engine, None, {"A": first}, chunks).keys() == {"A"}
    with Engine("demo", "torch-fp32") as demo:
        assert voices_of(demo, None, {}, chunks) == {"A": None, "B": None, None: None}
