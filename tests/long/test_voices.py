"""Which voice says a chunk: the same for a speaker from his first chunk on, or that of the chunk before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.errors import InputError
from alrakis.long.voices import Steady, SteadyVoices
from alrakis.result import Result
from alrakis.voices import Voice
from tests.long.spoken import SHORT, one_by_one, text_of


def test_without_a_voice_each_speaker_keeps_that_of_his_first_chunk(engine: Engine) -> None:
    pieces = engine.generate_long(text_of(6, "A", "B"), seed=1, **SHORT).pieces
    first: list[Result] = [pieces[0].result, pieces[1].result]
    one_by_one(engine, pieces, [None, None, first[0], first[1], first[0], first[1]])


def test_the_cast_has_voices_and_everybody_else_the_voice(engine: Engine) -> None:
    first, second = (
        engine.generate("a voice", seed=i, max_gen_duration_s=1.0, silent=True) for i in range(2)
    )
    pieces = list(engine.stream(text_of(4, "A", None), first, cast={"A": second}, seed=1, **SHORT))
    one_by_one(engine, pieces, [second, first, second, first])


def test_a_chain_goes_on_from_the_chunk_before(engine: Engine) -> None:
    pieces = list(engine.stream(text_of(4), seed=1, steady="chain", **SHORT))
    one_by_one(engine, pieces, [None, *(piece.result for piece in pieces[:3])])


def test_weights_with_one_speaker_need_no_voice() -> None:
    with Engine("demo", "torch-fp32") as demo:
        pieces = demo.generate_long(text_of(2), seed=1, max_gen_duration_s=0.5).pieces
        assert [piece.result.voice for piece in pieces] == [None, None]


# By hand: any speakers, made in any order that is allowed, and stopped anywhere.


def voice_of(index: int) -> Voice:
    return Voice(*[np.zeros(1, np.int64)] * 3, name=f"chunk {index}")


def expected(
    index: int,
    speakers: list[str],
    given_voices: dict[str | None, Voice | None],
    silent: set[int],
    steady: Steady,
) -> str | None:
    """The voice of a chunk, as the words of `SteadyVoices` have it."""
    speaker = speakers[index]
    spoke = [i for i in range(index) if speakers[i] == speaker and i not in silent]
    given_voice = given_voices.get(speaker)
    if steady == "voice" and speaker in given_voices:
        spoke = []
    if spoke:
        return f"chunk {spoke[0] if steady == 'voice' else spoke[-1]}"
    return given_voice.name if given_voice else None


@given(
    speakers=st.lists(st.sampled_from("AB"), min_size=1, max_size=8),
    given_names=st.sets(st.sampled_from("AB")),
    steady=st.sampled_from(["voice", "chain"]),
    data=st.data(),
)
def test_a_voice_depends_on_the_chunks_before_and_not_on_the_order_of_the_work(
    speakers: list[str], given_names: set[str], steady: Steady, data: st.DataObject
) -> None:
    silent = data.draw(st.sets(st.integers(0, len(speakers) - 1)))
    given_voices: dict[str | None, Voice | None] = {
        name: data.draw(st.sampled_from([None, voice_of(100)])) for name in given_names
    }
    done: dict[int, Voice | None] = {}
    steady_voices = SteadyVoices(speakers, given_voices, steady)
    while len(done) < len(speakers):
        if data.draw(st.booleans(), label="stopped, and begun again"):
            kept = {**first_voices(speakers, done), **given_voices} if steady == "voice" else given_voices
            steady_voices = SteadyVoices(speakers, kept, steady, done=done, recall=done.get)
        ready = [i for i in range(len(speakers)) if i not in done and steady_voices.ready(i)]
        assert ready, "the first chunk of a speaker that is not made can always be made"
        index = data.draw(st.sampled_from(ready))
        voice = steady_voices.voice(index)
        found = voice.name if voice else None
        assert found == expected(index, speakers, given_voices, silent, steady)
        done[index] = None if index in silent else voice_of(index)
        steady_voices.finish(index, done[index])


def first_voices(speakers: list[str], done: dict[int, Voice | None]) -> dict[str | None, Voice | None]:
    found: dict[str | None, Voice | None] = {}
    for index in sorted(done):
        if done[index] is not None:
            found.setdefault(speakers[index], done[index])
    return found


def test_what_is_no_way_of_staying_steady_is_told() -> None:
    with pytest.raises(InputError, match="steady must be 'voice' or 'chain', not 'rock'"):
        SteadyVoices([None], {}, "rock")  # type: ignore[arg-type]
