"""Work ahead of the taker: as far as it may go, and no further than anybody wants."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.errors import BackendError
from alrakis.long.ahead import ahead
from tests.long.spoken import SHORT, text_of


class Maker:
    """Makes numbers, and fails when it has made them if `error` is given; counts what it has made."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self._count = count
        self._error = error
        self.made = 0
        self.ended = False

    def __call__(self, check: Callable[[], None]) -> Iterator[int]:
        try:
            while self.made < self._count:
                check()
                self.made += 1
                yield self.made - 1
            if self._error is not None:
                raise self._error
        finally:
            self.ended = True


@given(st.integers(0, 30), st.integers(1, 8))
def test_everything_comes_in_order_and_never_more_than_there_is_room_for(count: int, room: int) -> None:
    maker, taken = Maker(count), []
    for item in ahead(maker, room):
        taken.append(item)
        assert maker.made <= len(taken) + room + 1  # that one more waits to be let in
    assert taken == list(range(count))
    assert maker.ended


@given(st.integers(0, 10), st.integers(1, 4))
def test_an_error_comes_behind_what_was_made_before_it(count: int, room: int) -> None:
    stream = ahead(Maker(count, ZeroDivisionError()), room)
    assert list(islice(stream, count)) == list(range(count))
    with pytest.raises(ZeroDivisionError):
        next(stream)


@given(st.integers(0, 5), st.integers(1, 3))
def test_closing_ends_the_work_and_waits_for_its_end(taken: int, room: int) -> None:
    maker = Maker(10**9)
    stream = ahead(maker, room)
    for _ in range(taken):
        next(stream)
    stream.close()
    assert maker.ended == (taken > 0), "nothing is begun before the first is asked for"
    assert maker.made <= taken + room + 1
    assert [thread for thread in threading.enumerate() if thread.name == "alrakis-ahead"] == []


def test_closing_a_stream_ends_the_work_in_the_middle_of_a_stage(engine: Engine) -> None:
    engine.generate("before", seed=1, silent=True, **SHORT)  # a first call starts the bars' own thread
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
    while _waiting(stream) < 8:
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
