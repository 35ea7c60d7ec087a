"""Fine windows: of sequences alike, several at a time, each written as it is alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import GenerationError
from alrakis.flight.sequence import Caller, Sequence
from alrakis.flight.windows import Windows
from alrakis.sampling import NOT_A_NUMBER, Sampling
from alrakis.spec import N_FINE_CODEBOOKS
from alrakis.stages.asks import Decode, FineWindow, Steps
from alrakis.timings import Clock
from tests.toys import ToyFineGPT

Row = tuple[int, int, int, int]  # seed, frames, codebooks that are given, first frame that is written


def steps(row: Row) -> Steps[Any]:
    seed, frames, given_books, start = row
    codes = np.random.default_rng(seed).integers(0, 1024, (frames, N_FINE_CODEBOOKS))
    written = yield FineWindow(seed, Sampling(0.5), codes, given_books, start, 8, 0.1)
    return written


def run(rows: list[Row], width: int, choose: Any = min, cancelled: int | None = None) -> list[Any]:
    """The codes of each row, None for the one that was given up."""
    model, windows = ToyFineGPT(), Windows()
    flying = [Sequence(steps(row), Caller(), Clock()) for row in rows]
    handles = [one.handle for one in flying]
    while flying:
        first = choose(range(len(flying)))
        moved = windows.together([flying[first], *flying[:first], *flying[first + 1 :]], width)
        windows.step(model, moved)
        assert flying[first] in moved
        assert len(moved) <= width
        for one in moved:
            if windows.finished(model, one):
                flying.remove(one)
        if cancelled is not None and len(flying) > cancelled:
            given_up = flying.pop(cancelled)
            windows.leave(given_up)
            given_up.handle.cancel()
            cancelled = None
    return [None if handle.cancelled() else handle.result(0) for handle in handles]


rows = st.tuples(st.integers(0, 9), st.sampled_from([3, 5]), st.sampled_from([2, 4]), st.integers(0, 2))


@given(st.lists(rows, min_size=1, max_size=5), st.integers(1, 3), st.none() | st.integers(0, 3), st.randoms())
def test_rows_are_written_as_they_are_alone(
    rows: list[Row], width: int, cancelled: int | None, random: Any
) -> None:
    for row, codes in zip(rows, run(rows, width, random.choice, cancelled), strict=True):
        if codes is not None:
            np.testing.assert_array_equal(codes, run([row], 1)[0])


def test_only_windows_of_one_size_are_written_together() -> None:
    model, windows = ToyFineGPT(), Windows()
    wanted: list[Row] = [(1, 5, 2, 0), (2, 3, 2, 0), (3, 5, 2, 1), (4, 5, 4, 0)]
    flying = [Sequence(steps(row), Caller(), Clock()) for row in wanted]
    for moving, alike in ((flying, [flying[0], flying[2]]), (flying[1:], [flying[1]])):
        assert windows.together(moving, 4) == alike
        windows.step(model, alike)
    assert model.passes == 2


class Broken(ToyFineGPT):
    """One row's logits are no numbers; how often the codes are brought to the host is counted."""

    read = 0

    def codes(self, window: Any) -> Any:
        self.read += 1
        codes = super().codes(window).copy()
        codes[1, 2, 5] = NOT_A_NUMBER
        return codes


def test_what_is_not_a_number_is_its_own_windows_and_all_are_read_once() -> None:
    model, windows = Broken(), Windows()
    flying = [Sequence(steps((seed, 5, 2, 0)), Caller(), Clock()) for seed in range(3)]
    for _ in range(6):
        windows.step(model, windows.together(flying, 3))
    for row, one in enumerate(flying):
        if row == 1:
            with pytest.raises(GenerationError, match="not a number"):
                windows.finished(model, one)
        else:
            assert windows.finished(model, one)
            np.testing.assert_array_equal(one.handle.result(0), run([(row, 5, 2, 0)], 1)[0])
    assert model.read == 1


def test_what_is_no_window_has_no_place_here() -> None:
    def decode() -> Steps[None]:
        yield Decode(np.zeros((8, 1), np.int64), 0.0)

    with pytest.raises(TypeError, match="no window"):
        Windows().together([Sequence(decode(), Caller(), Clock())], 1)
