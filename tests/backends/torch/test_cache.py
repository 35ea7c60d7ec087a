"""The static KV cache against lists of rows that are simply kept and dropped."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from alrakis.backends.torch.cache import KVCache
from alrakis.spec import GPTShape

SHAPE = GPTShape(2, 2, 8, 10, 10, block_size=16)
CPU = torch.device("cpu")


def cache(rows: int) -> KVCache:
    made = KVCache(SHAPE, CPU, torch.float32)
    made.begin(rows)
    return made


def filled(made: KVCache, positions: int) -> list[torch.Tensor]:
    """Other numbers in every buffer, row and position; gives what each row holds."""
    rows = len(made.keys[0])
    for number, buffer in enumerate([*made.keys, *made.values]):
        buffer[:, :, :positions] = torch.randn(
            rows, 2, positions, 4, generator=torch.Generator().manual_seed(number)
        )
    return rows_of(made, positions)


def rows_of(made: KVCache, positions: int) -> list[torch.Tensor]:
    held = torch.stack([torch.stack(made.keys), torch.stack(made.values)])
    return [held[:, :, row, :, :positions].clone() for row in range(held.shape[2])]


@given(st.integers(1, 6), st.integers(1, 16), st.data())
def test_the_rows_that_are_kept_hold_what_they_held(rows: int, positions: int, data: st.DataObject) -> None:
    made = cache(rows)
    held = filled(made, positions)
    for _ in range(3):
        kept = sorted(data.draw(st.sets(st.integers(0, len(held) - 1), min_size=1)))
        made.keep(kept, positions)
        held = [held[row] for row in kept]
        found = rows_of(made, positions)
        assert len(found) == len(held)
        assert all(torch.equal(a, b) for a, b in zip(found, held, strict=True))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_buffers_are_made_only_for_more_rows_than_ever_before(sizes: list[int]) -> None:
    made, largest = KVCache(SHAPE, CPU, torch.float16), 0
    for rows in sizes:
        places = {buffer.data_ptr() for buffer in [*made.keys, *made.values]}
        grew = made.begin(rows)
        assert grew == (rows > largest)
        assert {buffer.shape for buffer in [*made.keys, *made.values]} == {(rows, 2, 16, 4)}
        assert {buffer.dtype for buffer in made.keys} == {torch.float16}
        if not grew and largest:
            assert {buffer.data_ptr() for buffer in [*made.keys, *made.values]} == places
        largest = max(largest, rows)
    assert len({buffer.data_ptr() for buffer in [*made.keys, *made.values]}) == 2 * SHAPE.n_layer


@pytest.mark.parametrize("positions", [0, 3, 16])
def test_clearing_zeroes_all_behind_and_nothing_before(positions: int) -> None:
    made = cache(2)
    held = filled(made, 16)
    made.keys[1][0, 0, 15, 0] = torch.nan
    made.clear(positions)
    for found, before in zip(rows_of(made, 16), held, strict=True):
        assert torch.equal(found[..., :positions, :], before[..., :positions, :]) or positions == 16
        assert not found[..., positions:, :].any()


def test_released_it_holds_nothing_and_can_begin_again() -> None:
    made = cache(3)
    made.release()
    assert (made.keys, made.values) == ([], [])
    assert made.begin(1)
    assert not torch.stack(made.keys).any()
