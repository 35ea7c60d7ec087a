"""What a sequence asks of the networks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alrakis.sampling import Draw, Sampling
from alrakis.stages.asks import Decode, FineWindow, Run


@given(st.integers(0, 99), st.integers(0, 99), st.lists(st.integers(0, 3), min_size=1, max_size=3))
def test_heads_take_turns_from_the_first_and_every_draw_has_a_step_of_its_own(
    step: int, done: int, heads: list[int]
) -> None:
    sampling = Sampling(0.7)
    run = Run("coarse", 5, sampling, np.arange(3), heads, step, 200, 0.1)
    assert run.draw(done) == Draw(5, step + done, sampling, heads[done % len(heads)])


def test_asks_say_where_they_are_answered() -> None:
    codes = np.zeros((4, 8), np.int64)
    assert FineWindow(1, Sampling(0.5), codes, 2, 0, 0, 0.1).part == "fine"
    assert Decode(codes.T, 0.1).part == "codec"
