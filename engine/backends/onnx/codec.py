"""EnCodec's decoder on ONNX Runtime."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.backends.onnx.session import bind, load_table, only_what_is_asked, open_session
from alrakis.sampling import FloatArray, IntArray
from alrakis.spec import CodecShape


class OnnxCodec:
    """A `Codec` over the folder that `build_codec` wrote, in fp32."""

    def __init__(self, folder: Path, shape: CodecShape, threads: int, providers: list[Any]) -> None:
        self._session = open_session(folder / "codec.onnx", threads, providers)
        self._options = only_what_is_asked(give_back=True)
        self._codebooks = load_table(folder, "codebooks")
        self._padding = shape.kernel_size - 1
        self._frame_samples = math.prod(shape.ratios)

    def decode(self, codes: IntArray) -> FloatArray:
        z = np.zeros((len(codes), codes.shape[2], self._codebooks.shape[2]), np.float32)
        for codebook in range(codes.shape[1]):
            z += self._codebooks[codebook][codes[:, codebook]]
        padded = self._padded(z.transpose(0, 2, 1))
        audio = np.empty((len(codes), 1, self._frame_samples * codes.shape[2]), np.float32)
        binding = self._session.io_binding()
        bind(binding, "z", padded)
        bind(binding, "audio", audio, output=True)
        self._session.run_with_iobinding(binding, self._options)
        return audio[:, 0]

    def release(self) -> None:
        """Nothing is kept between calls."""

    def _padded(self, z: FloatArray) -> FloatArray:
        """z with reflection padding on the left, as encodec's `pad1d` does it.

        A clip that is too short for it gets zeros on the right first, which are removed afterwards.
        """
        length = z.shape[2]
        longer = np.pad(z, ((0, 0), (0, 0), (0, max(0, self._padding - length + 1))))
        reflected = np.pad(longer, ((0, 0), (0, 0), (self._padding, 0)), mode="reflect")
        return np.ascontiguousarray(reflected[:, :, : self._padding + length])
