"""The static KV cache: a buffer in each layer, of keys and values side by side."""

import numpy as np
import torch
from torch import Tensor

from alrakis.spec import GPTShape


class KVCache:
    """Keys and values of some slots, `block_size` positions each, in buffers that are made once.

    A layer's is one tensor `(slots, 2, heads, block_size, D)`, keys before values, so that a step writes both
    at once. Layers are separate tensors: a compiled step writes into them in place, which is not possible
    with several views of one storage.
    """

    def __init__(self, shape: GPTShape, slots: int, device: torch.device, dtype: torch.dtype) -> None:
        self.block_size = shape.block_size
        self.slots = slots
        self._shape = shape
        self._device = device
        self._dtype = dtype
        self._buffers: list[Tensor] = []

    @property
    def layers(self) -> list[Tensor]:
        """By layer, `(slots, 2, heads, block_size, D)`: keys and values."""
        if not self._buffers:
            shape = self.slots, 2, self._shape.n_head, self.block_size, self._shape.head_dim
            self._buffers = [self._zeros(shape) for _ in range(self._shape.n_layer)]
        return self._buffers

    def views(self, slots: slice) -> list[Tensor]:
        """Those of a range of slots, by layer."""
        return [layer[slots] for layer in self.layers]

    def clear(self, slot: int, positions: slice) -> None:
        """Set positions of a slot to zero.

        A masked position has weight 0, but 0 times a NaN left there by an overflow would be NaN.
        """
        for layer in self.layers:
            layer[slot, :, :, positions] = 0

    def release(self) -> None:
        """Free the buffers."""
        self._buffers = []

    def _zeros(self, shape: tuple[int, ...]) -> Tensor:
        """Zeros; on a CPU, memory is taken only where it is written."""
        if self._device.type != "cpu":
            return torch.zeros(shape, device=self._device, dtype=self._dtype)
        count = int(np.prod(shape)) * self._dtype.itemsize
        return torch.from_numpy(np.zeros(count, np.uint8)).view(self._dtype).view(shape)
