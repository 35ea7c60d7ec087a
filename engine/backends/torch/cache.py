"""The static KV cache: a buffer for keys and one for values in each layer."""

import numpy as np
import torch
from torch import Tensor

from alrakis.spec import GPTShape


class KVCache:
    """Keys and values of some slots, `block_size` positions each, in buffers that are made once.

    The buffers are separate tensors, `(slots, heads, block_size, D)` each: a compiled step writes into them
    in place, which is not possible with several views of one storage.
    """

    def __init__(self, shape: GPTShape, slots: int, device: torch.device, dtype: torch.dtype) -> None:
        self.block_size = shape.block_size
        self.slots = slots
        self._shape = shape
        self._device = device
        self._dtype = dtype
        self._buffers: list[Tensor] = []

    @property
    def keys(self) -> list[Tensor]:
        """By layer, `(slots, heads, block_size, D)`."""
        return self._made()[0::2]

    @property
    def values(self) -> list[Tensor]:
        """By layer, `(slots, heads, block_size, D)`."""
        return self._made()[1::2]

    def views(self, slots: slice) -> tuple[list[Tensor], list[Tensor]]:
        """Keys and values of a range of slots, by layer."""
        views = [buffer[slots] for buffer in self._made()]
        return views[0::2], views[1::2]

    def clear(self, slot: int, positions: slice) -> None:
        """Set positions of a slot to zero.

        A masked position has weight 0, but 0 times a NaN left there by an overflow would be NaN.
        """
        for buffer in self._made():
            buffer[slot, :, positions] = 0

    def release(self) -> None:
        """Free the buffers."""
        self._buffers = []

    def _made(self) -> list[Tensor]:
        if not self._buffers:
            shape = self.slots, self._shape.n_head, self.block_size, self._shape.head_dim
            self._buffers = [self._zeros(shape) for _ in range(2 * self._shape.n_layer)]
        return self._buffers

    def _zeros(self, shape: tuple[int, ...]) -> Tensor:
        """Zeros; on a CPU, memory is taken only where it is written."""
        if self._device.type != "cpu":
            return torch.zeros(shape, device=self._device, dtype=self._dtype)
        count = int(np.prod(shape)) * self._dtype.itemsize
        return torch.from_numpy(np.zeros(count, np.uint8)).view(self._dtype).view(shape)
