"""The fine model on ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np

from alrakis.backends.onnx.session import bind, load_table, only_what_is_asked, open_session
from alrakis.export.contract import fine_frames
from alrakis.sampling import FloatArray, IntArray, Sampling, draw
from alrakis.spec import GPTShape


class OnnxFineGPT:
    """A `FineGPT` over the folder that `build_stage` wrote.

    Rows run one at a time: arithmetic limits the speed of a pass, and in int8 rows of a run would influence
    each other, as their activations would share a scale.
    """

    def __init__(self, folder: Path, shape: GPTShape, threads: int, providers: list[Any]) -> None:
        self._shape = shape
        self._session = open_session(folder / "fine.onnx", threads, providers)
        self._options = only_what_is_asked()
        self._last_options = only_what_is_asked(give_back=True)
        self._tables = [load_table(folder, f"codebook_{i}") for i in range(shape.n_codes_total)]
        self._positions = load_table(folder, "positions")
        self._codes = np.empty((0, 0, shape.n_codes_total), np.int64)
        self._final = np.empty((0, 0, shape.n_embd), np.float32)

    def begin(self, codes: IntArray, given: int) -> None:
        self._codes = codes.copy()
        # the sum of the embeddings of all codebooks that are final
        self._final = np.repeat(self._positions[None, : codes.shape[1]], len(codes), axis=0)
        for codebook in range(given):
            self._final += self._tables[codebook][codes[:, :, codebook]]

    def predict(self, codebook: int, start: IntArray, noise: FloatArray | None, sampling: Sampling) -> None:
        table = self._tables[codebook]
        codes = self._codes[:, :, codebook]
        for row, first in enumerate(start):
            x = self._final[row] + table[codes[row]]
            logits = self._logits(codebook, x[None], np.array([first], np.int64))
            drawn = None if noise is None else noise[row, first:]
            codes[row, first:] = draw(logits[0], drawn, sampling)
            self._final[row] += table[codes[row]]

    def _logits(self, codebook: int, x: FloatArray, first: IntArray) -> FloatArray:
        """A codebook's logits `(1, T - first, C)`; the window's last run returns memory to the system."""
        last = codebook == len(self._tables) - 1
        logits = np.empty((1, x.shape[1] - first[0], self._session.get_outputs()[0].shape[2]), np.float32)
        binding = self._session.io_binding()
        bind(binding, "x", x)
        bind(binding, "first", first)
        frames = fine_frames(self._shape, codebook, logits.shape[1])
        bind(binding, "frames", frames)
        bind(binding, f"logits_{codebook}", logits, output=True)
        self._session.run_with_iobinding(binding, self._last_options if last else self._options)
        return logits

    def codes(self) -> IntArray:
        return self._codes

    def release(self) -> None:
        """Free the window."""
        self._codes, self._final = self._codes[:0], self._final[:0]
