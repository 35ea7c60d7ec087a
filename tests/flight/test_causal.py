"""Slots of a causal model: who gets one, who steps with whom, and that none is left behind."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.flight.causal import Slots
from alrakis.flight.sequence import Caller, Sequence
from alrakis.sampling import Sampling
from alrakis.stages.asks import Decode, Run, Steps
from alrakis.timings import Clock
from tests.toys import BARK, ToyGPT


def steps(length: int, count: int, end: int | None = None) -> Steps[list[int]]:
    run = Run("text", 3, Sampling(0.7), np.arange(length), (0,), 0, count, 0.02, end=end)
    tokens = yield run
    return [int(token) for token in tokens]


def sequence(caller: Caller, length: int = 4, count: int = 3) -> Sequence[list[int]]:
    return Sequence(steps(length, count), caller, Clock())


def gpt(slots: int = 4, *, batches_prefixes: bool = True) -> ToyGPT:
    made = ToyGPT("text", BARK.text_heads, slots)
    made.batches_prefixes = batches_prefixes
    return made


def seated(slots: Slots, waiting: list[Sequence[Any]]) -> list[bool]:
    slots.seat(waiting)
    return [slots.has(one) for one in waiting]


def test_the_urgent_are_seated_first_then_who_has_the_fewest() -> None:
    busy, other, urgent = Caller(urgent=False), Caller(urgent=False), Caller()
    waiting = [sequence(busy), sequence(busy), sequence(busy), sequence(other), sequence(urgent)]
    assert seated(Slots(3), waiting) == [True, False, False, True, True]


def test_the_last_slot_is_for_a_caller_who_has_none() -> None:
    busy, other = Caller(urgent=False), Caller(urgent=False)
    waiting = [sequence(busy) for _ in range(4)]
    slots = Slots(3)
    assert seated(slots, waiting) == [True, True, False, False]
    late = sequence(other)
    assert seated(slots, [*waiting, late]) == [True, True, False, False, True]
    slots.leave(None, waiting[0])
    assert seated(slots, [*waiting[1:], late]) == [True, False, False, True]


def test_callers_of_one_client_share_its_turns() -> None:
    flood = [sequence(Caller(client="busy")) for _ in range(4)]
    other = sequence(Caller(client="other"))
    slots = Slots(3)
    assert seated(slots, flood) == [True, True, False, False], "the last slot is for another client"
    assert seated(slots, [*flood, other]) == [True, True, False, False, True]
    assert len(slots) == 3
    slots.leave(None, other)
    assert len(slots) == 2


def test_a_single_slot_is_for_anybody() -> None:
    caller = Caller(urgent=False)
    assert seated(Slots(1), [sequence(caller), sequence(caller)]) == [True, False]


callers = [Caller(urgent=False), Caller(urgent=False), Caller()]


@given(
    st.lists(st.tuples(st.sampled_from(callers), st.sampled_from([4, 9]), st.integers(1, 5)), max_size=9),
    st.integers(1, 4),
    st.booleans(),
    st.randoms(),
)
def test_whoever_steps_with_whom_gets_the_tokens_of_a_lone_run(
    rows: list[tuple[Caller, int, int]], count: int, batches_prefixes: bool, random: Any
) -> None:
    model, slots = gpt(count, batches_prefixes=batches_prefixes), Slots(count)
    flying = [sequence(*row) for row in rows]
    handles = [one.handle for one in flying]
    while flying:
        slots.seat(flying)
        here = [one for one in flying if slots.has(one)]
        assert 1 <= len(here) <= count
        moving = random.sample(here, random.randint(1, len(here)))
        moved = slots.together(model, moving)
        assert set(moved) <= set(moving)
        slots.step(model, moved)
        for one in moved:
            if slots.finished(model, one):
                slots.leave(model, one)
                flying.remove(one)
        if flying and random.random() < 0.1:
            given_up = flying.pop(random.randrange(len(flying)))
            slots.leave(model, given_up)
            given_up.handle.cancel()
    model.release()  # asserts that no slot is held
    for row, handle in zip(rows, handles, strict=True):
        if not handle.cancelled():
            assert handle.result(0) == alone(*row)


def alone(caller: Caller, length: int, count: int) -> list[int]:
    model, slots, one = gpt(1), Slots(1), sequence(caller, length, count)
    slots.seat([one])
    while not one.handle.done():
        slots.step(model, [one])
        slots.finished(model, one)
    return one.handle.result(0)


def test_a_run_ends_with_its_end_which_is_its_last_token() -> None:
    tokens = alone(Caller(), 4, 9)
    one = Sequence(steps(4, 9, end=tokens[4]), Caller(), Clock())
    model, slots = gpt(1), Slots(1)
    slots.seat([one])
    while not one.handle.done():
        slots.step(model, [one])
        slots.finished(model, one)
    assert one.handle.result(0) == tokens[: tokens.index(tokens[4]) + 1]


def test_what_is_no_run_has_no_place_here() -> None:
    def decode() -> Steps[None]:
        yield Decode(np.zeros((8, 1), np.int64), 0.0)

    one, slots = Sequence(decode(), Caller(), Clock()), Slots(1)
    slots.seat([one])
    with pytest.raises(TypeError, match="no run"):
        slots.step(gpt(), [one])
