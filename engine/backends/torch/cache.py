"""The static KV cache: a buffer for keys and one for values in each layer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alrakis.spec import GPTShape


class KVCache:
    """Keys and values of up to `block_size` positions, in buffers that are reused from call to call.

    The buffers are separate tensors, `(B, heads, block_size, D)` each: a compiled step writes into them in
    place, which is not possible with several views of one storage.
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
        """Make room for `rows` sequences. Returns whether the buffers were too small and are new now."""
        grows = rows > self._capacity
        if grows:
            self.release()  # first, so that old and new buffers are never in memory together
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
        """Keep only these rows, ascending, and of them the first `filled` positions."""
        for buffer in self._buffers:
            for new, old in enumerate(rows):
                if new != old:
                    buffer[new, :, :filled] = buffer[old, :, :filled]
        self.keys, self.values = self.views(len(rows))

    def clear(self, filled: int) -> None:
        """Set all positions after the first `filled` to zero.

        A masked position has weight 0, but 0 times a NaN left there by an overflow would be NaN.
        """
        for buffer in self._buffers:
            buffer[:, :, filled:] = 0

    def release(self) -> None:
        """Free the buffers."""
        self._capacity = 0
        self._buffers, self.keys, self.values = [], [], []
