"""The static KV cache against arrays that are written and cleared by hand."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from alrakis.backends.torch.cache import KVCache
from alrakis.spec import GPTShape

SHAPE = GPTShape(2, 2, 8, 10, 10, block_size=16)
CPU = torch.device("cpu")


def cache(slots: int, dtype: torch.dtype = torch.float32) -> KVCache:
    return KVCache(SHAPE, slots, CPU, dtype)


def held(made: KVCache) -> Any:
    """Everything that it holds: `(layers, slots, keys or values, heads, positions, D)`."""
    return np.array([layer.numpy() for layer in made.layers])


@st.composite
def spans(draw: st.DrawFn) -> slice:
    first = draw(st.integers(0, 16))
    return slice(first, draw(st.integers(first, 16)))


@given(st.integers(1, 6), st.lists(st.tuples(st.booleans(), st.integers(0, 5), spans()), max_size=12))
def test_a_slot_holds_what_was_written_and_not_cleared_since(
    slots: int, calls: list[tuple[bool, int, slice]]
) -> None:
    """Clearing zeroes positions of one slot in all buffers, NaN among them, and nothing else."""
    made, expected = cache(slots), np.zeros((2, slots, 2, 2, 16, 4), np.float32)
    for number, (write, slot, positions) in enumerate(calls, 1):
        slot %= slots
        if write:
            for layer, buffer in enumerate(made.layers):
                for kind in (0, 1):
                    value = np.nan if number % 3 == 0 else 100 * number + 10 * layer + kind
                    buffer[slot, kind, :, positions] = value
                    expected[layer, slot, kind, :, positions] = value
        else:
            made.clear(slot, positions)
            expected[:, slot, :, :, positions] = 0
        np.testing.assert_array_equal(held(made), expected)


@given(st.integers(1, 6), st.data())
def test_views_are_ranges_of_the_buffers_themselves(slots: int, data: st.DataObject) -> None:
    made = cache(slots)
    first = data.draw(st.integers(0, slots - 1))
    run = slice(first, data.draw(st.integers(first + 1, slots)))
    views = made.views(run)
    assert len(views) == len(made.layers) == SHAPE.n_layer
    for view, buffer in zip(views, made.layers, strict=True):
        assert view.shape == (run.stop - run.start, 2, 2, 16, 4)
        assert view.data_ptr() == buffer[first].data_ptr()


def test_buffers_are_made_once_each_a_tensor_of_its_own() -> None:
    made = cache(3, torch.float16)
    buffers = list(made.layers)
    assert {buffer.shape for buffer in buffers} == {(3, 2, 2, 16, 4)}
    assert {buffer.dtype for buffer in buffers} == {torch.float16}
    assert len({buffer.untyped_storage().data_ptr() for buffer in buffers}) == SHAPE.n_layer
    again = [*made.layers, *made.views(slice(0, 3))]
    assert {buffer.data_ptr() for buffer in again} == {buffer.data_ptr() for buffer in buffers}


def test_released_it_holds_nothing_and_is_made_anew_of_zeros() -> None:
    made = cache(3)
    assert not made._buffers  # nothing before it is used
    made.layers[1][2] = 7
    made.release()
    assert not made._buffers
    assert not held(made).any()
