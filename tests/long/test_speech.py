"""A long text that is being said: its pieces in order, and no more work than anybody wants."""

import asyncio
import threading
from concurrent.futures import CancelledError
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.errors import BackendError, GenerationError
from alrakis.long.speech import Speech
from alrakis.long.voices import SteadyVoices
from alrakis.sampling import Options
from alrakis.text.splitting import Chunk
from tests.long.desk import BROKEN, SILENT, Desk
from tests.long.spoken import SHORT, text_of
from tests.threads import WAIT_S, held, no_worker_stays


def speech_of(desk: Desk, texts: list[str], **options: Any) -> Speech:
    chunks = [Chunk(text, "sentence", None, 1.0) for text in texts]
    voices = SteadyVoices([None] * len(texts), {None: None}, "voice")
    return Speech(
        desk, " ".join(texts), chunks, range(len(texts)), voices, Options(), **options  # type: ignore[arg-type]
    )  # fmt: skip


@given(st.lists(st.sampled_from(["a", SILENT]), min_size=1, max_size=12), st.integers(1, 4), st.randoms())
def test_pieces_come_in_order_as_soon_as_they_can(texts: list[str], size: int, random: Any) -> None:
    desk = Desk(size)
    speech = speech_of(desk, texts, begin=1)
    pieces, taken, made = iter(speech), [], set()
    while len(taken) < len(texts):
        if desk.under_way:
            number = random.choice(sorted(desk.under_way))
            desk.end(number)
            made.add(number)
        assert len(made) + len(desk.under_way) <= len(taken) + 2 * size
        assert speech.done == len(made)
        while len(taken) in made:
            taken.append(next(pieces))
    assert list(pieces) == []
    assert [piece.index for piece in taken] == list(range(len(texts)))
    assert [piece.chunk.text for piece in taken] == texts
    assert [len(piece.audio) > 0 for piece in taken] == [text != SILENT for text in texts]


@given(st.integers(0, 10), st.integers(1, 4))
def test_an_error_comes_behind_what_was_made_before_it(count: int, size: int) -> None:
    desk = Desk(size)
    speech = speech_of(desk, [*["a"] * count, BROKEN, "b"], bounded=False)
    list(desk.end_all(max))
    pieces = iter(speech)
    assert [piece.index for piece in islice(pieces, count)] == list(range(count))
    with pytest.raises(GenerationError, match="no sound of"):
        next(pieces)


def test_whoever_takes_the_whole_ends_the_rest_when_a_piece_fails() -> None:
    desk = Desk(2)
    speech = speech_of(desk, [BROKEN, "a", "b"])
    desk.end(0)
    with pytest.raises(GenerationError):
        speech.result()
    assert all(handle.cancelled() for handle in desk.under_way.values())


def test_given_up_its_pieces_are_waited_for_by_nobody() -> None:
    desk = Desk(2)
    with speech_of(desk, ["a"] * 9) as speech:
        desk.end(0)
        pieces = iter(speech)
        next(pieces)
        ended: list[BaseException] = []

        def wait() -> None:
            try:
                next(pieces)
            except CancelledError as error:
                ended.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
    waiting.join()
    assert len(ended) == 1
    assert all(handle.cancelled() for handle in desk.under_way.values())
    begun = len(desk.begun)
    list(desk.end_all())
    assert len(desk.begun) == begun


def test_the_end_is_told_once_however_it_comes() -> None:
    for texts in (["a", "b", "c"], ["a", BROKEN, "c"], []):
        told: list[None] = []
        desk = Desk(4)
        speech = speech_of(desk, texts)
        speech.add_done_callback(lambda told=told: told.append(None))  # type: ignore[misc]
        for number in desk.end_all():
            assert len(told) == (number == 2 or BROKEN in texts[: number + 1])
        assert len(told) == 1


def test_what_cannot_begin_is_raised_at_once_and_leaves_nothing_under_way() -> None:
    desk = Desk(1)
    desk.closed = True
    with pytest.raises(BackendError):
        speech_of(desk, ["a", "b"])


def test_an_engine_that_is_closed_between_two_pieces_says_so() -> None:
    """Nothing was under way that could have failed: whoever waits for the next piece is told."""
    desk = Desk(1)
    speech = speech_of(desk, ["a"] * 5, begin=1)
    desk.closed = True
    desk.end(0)
    with pytest.raises(BackendError, match="closed"):
        list(speech)


def test_pieces_are_awaited_in_order() -> None:
    desk = Desk(4)
    speech = speech_of(desk, ["a", SILENT, "b"])

    async def listen() -> list[int]:
        threading.Timer(0.01, lambda: list(desk.end_all(max))).start()
        return [piece.index async for piece in speech]

    assert asyncio.run(listen()) == [0, 1, 2]


# Through a real engine.


def test_closing_a_stream_ends_the_work_in_the_middle_of_a_stage(engine: Engine) -> None:
    long = {"allow_early_stop": False, "seed": 1}  # some 15 s of audio each
    with held(engine._scheduler, when=lambda: any(engine.slots_in_use.values())) as stands:
        speech = engine.submit_long(text_of(3), **long)
        assert stands.wait(WAIT_S)
        speech.cancel()
    other = engine.stream(text_of(3), seed=1, **SHORT)
    next(other)
    other.close()
    assert no_worker_stays()
    assert len(engine.generate("and then", seed=1, silent=True, **SHORT).audio)  # nothing is held


def test_nothing_is_begun_before_the_first_piece_is_asked_for(engine: Engine) -> None:
    stream = engine.stream(text_of(3), seed=1, **SHORT)
    assert engine._scheduler._worker is None
    stream.close()
    assert engine._scheduler._worker is None


def test_work_goes_on_while_a_piece_is_used_but_not_without_end(engine: Engine) -> None:
    speech = engine.submit_long(text_of(40), seed=1, begin=1, max_gen_duration_s=0.1)
    pieces = iter(speech)
    next(pieces)
    with engine._scheduler.resting():  # until nothing is left to do
        assert speech.done == 9, "two batches ahead"
    assert len(list(pieces)) == 39


def test_what_goes_wrong_in_the_work_is_raised_to_the_listener() -> None:
    engine = Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=1)
    stream = engine.stream(text_of(9), seed=1, **SHORT)
    next(stream)
    engine.close()
    with pytest.raises(BackendError, match="closed"):
        list(stream)


def test_a_stream_is_closed_while_another_thread_waits_for_it(engine: Engine) -> None:
    """Its own steps end by an error, as whatever is closed does; the engine serves the next."""
    ended: list[BaseException] = []

    def listen() -> None:
        try:
            list(speech)
        except CancelledError as error:
            ended.append(error)

    with held(engine._scheduler):
        speech = engine.submit_long(text_of(3), seed=1, allow_early_stop=False)
        waiting = threading.Thread(target=listen)
        waiting.start()
        speech.cancel()
        waiting.join()
    assert len(ended) == 1
    assert len(engine.generate("and then", seed=1, silent=True, **SHORT).audio)
