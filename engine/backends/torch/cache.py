"""The static KV cache: one buffer a layer for keys and one for values."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alrakis.spec import GPTShape


class KVCache:
    """Keys and values of up to `block_size` positions; buffers stay where they are from call to call.

    Buffers are separate tensors, `(rows, heads, block_size, D)` each: a compiled step writes into each of
    them in place, which aliases of one storage would not allow.
    """

    def __init__(self, shape: GPTShape, device: torch.device, dtype: torch.dtype) -> None:
        self.block_size = shape.block_size
        self._shape = shape
        self._device = device
        self._dtype = dtype
        self._capacity = 0
        self._buffers: list[Tensor] = []
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []

    def begin(self, rows: int) -> bool:
        """Be a cache of `rows` sequences. True when that took new buffers, for more rows than ever before."""
        grows = rows > self._capacity
        if grows:
            self.release()  # first, so that both do not take memory at once
            shape = (rows, self._shape.n_head, self._shape.block_size, self._shape.head_dim)
            self._buffers = [
                torch.zeros(shape, device=self._device, dtype=self._dtype)
                for _ in range(2 * self._shape.n_layer)
            ]
            self._capacity = rows
        self.keys, self.values = self.views(rows)
        return grows

    def views(self, rows: int) -> tuple[list[Tensor], list[Tensor]]:
        """Keys and values of the first rows, each `(rows, heads, block_size, D)`, by layer."""
        views = [buffer[:rows] for buffer in self._buffers]
        return views[0::2], views[1::2]

    def keep(self, rows: Sequence[int], filled: int) -> None:
        """Go on with these rows, ascending; only the first `filled` positions matter."""
        for buffer in self._buffers:
            for new, old in enumerate(rows):
                if new != old:
                    buffer[new, :, :filled] = buffer[old, :, :filled]
        self.keys, self.values = self.views(len(rows))

    def clear(self, filled: int) -> None:
        """Zero what lies behind the first `filled` positions.

        A masked position weighs nothing, but nothing times a NaN that an overflow left there is NaN.
        """
        for buffer in self._buffers:
            buffer[:, :, filled:] = 0

    def release(self) -> None:
        """Free the buffers."""
        self._capacity = 0
        self._buffers, self.keys, self.values = [], [], []
