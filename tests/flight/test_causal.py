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


def gpt(slots: int = 4, *, batches_prefixes: bool = True, stride: int = 1) -> ToyGPT:
    made = ToyGPT("text", BARK.text_heads, slots, stride=stride)
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
    st.sampled_from([1, 2, 16]),
    st.randoms(),
)
def test_whoever_steps_with_whom_gets_the_tokens_of_a_lone_run(
    rows: list[tuple[Caller, int, int]], count: int, batches_prefixes: bool, stride: int, random: Any
) -> None:
    model, slots = gpt(count, batches_prefixes=batches_prefixes, stride=stride), Slots(count)
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


@pytest.mark.parametrize("stride", [1, 2, 4, 16])
@pytest.mark.parametrize("at", [0, 1, 3, 4, 8])
def test_a_run_ends_with_its_end_which_is_its_last_token(stride: int, at: int) -> None:
    """However many tokens a device has drawn after it by then."""
    tokens = alone(Caller(), 4, 9)
    one = Sequence(steps(4, 9, end=tokens[at]), Caller(), Clock())
    model, slots = gpt(1, stride=stride), Slots(1)
    slots.seat([one])
    while not one.handle.done():
        slots.step(model, [one])
        slots.finished(model, one)
    assert one.handle.result(0) == tokens[: tokens.index(tokens[at]) + 1]


class Late(ToyGPT):
    """Tokens are numbered as they are made; which of them are read is remembered."""

    def __init__(self) -> None:
        super().__init__("text", BARK.text_heads, 1, stride=16)
        self.made, self.seen = 0, list[int]()

    def advance(self, *arguments: Any) -> Any:
        self.made += 1
        return self.made, super().advance(*arguments)

    def read(self, tokens: Any) -> Any:
        self.seen.append(tokens[0])
        return super().read(tokens[1])


@pytest.mark.parametrize(("end", "expected"), [(None, [[], [], [1, 2, 3]]), (-5, [[], [1], [3, 2]])])
def test_a_device_is_read_a_turn_late_or_when_a_run_is_over(
    end: int | None, expected: list[list[int]]
) -> None:
    """So it has something to do while the host looks: nobody waits for what was asked for last."""
    model, slots, found = Late(), Slots(1), []
    one = Sequence(steps(4, 40, end=end), Caller(), Clock())
    slots.seat([one])
    assert slots.step(model, [one]) == [0]  # its prefix
    for count in (16, 16, 8):
        assert slots.step(model, [one]) == [count]
        slots.finished(model, one)
        found.append(model.seen)
        model.seen = []
    assert found == expected
    assert len(one.handle.result(0)) == 40


def test_what_is_no_run_has_no_place_here() -> None:
    def decode() -> Steps[None]:
        yield Decode(np.zeros((8, 1), np.int64), 0.0)

    one, slots = Sequence(decode(), Caller(), Clock()), Slots(1)
    slots.seat([one])
    with pytest.raises(TypeError, match="no run"):
        slots.step(gpt(), [one])
