"""A sequence: what it asks for, what it is given, and what its handle says."""

from typing import Any

import numpy as np
import pytest

from alrakis.flight.sequence import Caller, Handle, Sequence
from alrakis.sampling import Sampling
from alrakis.stages.asks import Decode, Run, Steps
from alrakis.timings import Clock

PREFIX = np.arange(5)


def run_of(count: int, prefix: Any = PREFIX) -> Run:
    return Run("coarse", 7, Sampling(0.5), prefix, heads=(0, 1), step=10, count=count, seconds=0.25)


def two_asks() -> Steps[int]:
    first = yield run_of(40)
    second = yield run_of(2, None)
    return int(first.sum() + second.sum())


def test_steps_are_given_what_they_asked_for_until_they_are_over() -> None:
    sequence = Sequence(two_asks(), Caller(), Clock())
    assert (sequence.part, sequence.begins) == ("coarse", True)
    sequence.entered = True
    assert not sequence.begins
    sequence.answer(np.array([1, 2]))
    assert (sequence.part, sequence.begins, sequence.drawn) == ("coarse", False, [])
    assert not sequence.handle.done()
    sequence.answer(np.array([3]))
    assert sequence.part is None
    assert sequence.handle.result(0) == 6


def test_handles_say_which_stage_is_at_work_and_how_far() -> None:
    handle: Handle[None] = Handle()
    assert (handle.part, handle.seconds) == (None, 0.0)
    for part, seconds in (("text", 1.0), ("text", 0.5), ("coarse", 0.25)):
        handle.moved(part, seconds)  # type: ignore[arg-type]
    assert (handle.part, handle.seconds) == ("coarse", 0.25)


def test_callers_are_told_of_each_step_and_may_raise() -> None:
    told: list[tuple[str, float]] = []
    sequence = Sequence(two_asks(), Caller(lambda part, seconds: told.append((part, seconds))), Clock())
    sequence.moved(1)
    sequence.moved(16)
    assert told == [("coarse", 0.25), ("coarse", 4.0)]
    assert sequence.handle.seconds == 4.25

    def breaks(part: str, seconds: float) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Sequence(two_asks(), Caller(breaks), Clock()).moved(1)


def test_what_fails_or_was_cancelled_is_over_and_its_steps_are_closed() -> None:
    closed: list[str] = []

    def steps() -> Steps[None]:
        try:
            yield Decode(np.zeros((8, 1), np.int64), 0.0)
        finally:
            closed.append("closed")

    failed = Sequence(steps(), Caller(), Clock())
    failed.fail(ZeroDivisionError())
    assert (failed.part, closed) == (None, ["closed"])
    assert isinstance(failed.handle.exception(0), ZeroDivisionError)
    given_up = Sequence(steps(), Caller(), Clock())
    assert given_up.handle.cancel()
    given_up.fail(ZeroDivisionError())
    assert given_up.handle.cancelled()
    late = Sequence(steps(), Caller(), Clock())
    assert late.handle.cancel()
    late.answer(np.zeros(1, np.int64))
    assert late.handle.cancelled()


def test_who_comes_first_has_the_lower_number() -> None:
    first, second = (Sequence(two_asks(), Caller(), Clock()) for _ in range(2))
    assert first.arrival < second.arrival
