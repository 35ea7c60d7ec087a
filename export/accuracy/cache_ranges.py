"""The ranges of keys and values, for the scales of an int8 KV cache."""

import numpy as np

from alrakis.sampling import FloatArray
from alrakis.spec import GPTShape

MARGIN = 1.1  # a range is this factor larger than the values seen; larger values are clipped


class CacheRanges:
    """Watches a `ReferenceGPT` and records the largest magnitude in each channel of keys and values."""

    def __init__(self, shape: GPTShape) -> None:
        self._peaks = np.zeros((shape.n_layer, 2, shape.n_embd))

    def __call__(self, name: str, x: FloatArray, exact: FloatArray) -> None:
        """Take a linear's inputs `(T, K)` and its outputs in fp32 `(T, N)`."""
        if not name.endswith(".attn.c_attn"):
            return
        layer, width = int(name.split(".")[2]), self._peaks.shape[2]
        seen = np.abs(exact[:, width:]).max(axis=0).reshape(2, width)  # queries come first
        np.maximum(self._peaks[layer], seen, out=self._peaks[layer])

    def scales(self) -> FloatArray:
        """The scales, `(layers, 2, C)`: the step between two int8 values, for each channel.

        They are rounded up to 8 bits, so that the last digits of a peak, which differ by machine, are not
        seen.
        """
        fraction, exponent = np.frexp(np.maximum(self._peaks * (MARGIN / 127), 1e-8))
        return np.ldexp(np.ceil(fraction * 256) / 256, exponent).astype(np.float32)
