"""The fine model on ONNX Runtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.backends.onnx.session import bind, load_table, only_what_is_asked, open_session
from alrakis.export.contract import fine_frames
from alrakis.sampling import Draw, FloatArray, IntArray, StageNoise, draw
from alrakis.spec import GPTShape


@dataclass
class Window:
    """A window's codes `(B, T, 8)`, and the sum of the embeddings of all codebooks that are final."""

    codes: IntArray
    final: FloatArray


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
        self._noise = StageNoise("fine")

    def begin(self, codes: IntArray, given: int) -> Window:
        final = np.repeat(self._positions[None, : codes.shape[1]], len(codes), axis=0)
        for codebook in range(given):
            final += self._tables[codebook][codes[:, :, codebook]]
        return Window(codes.copy(), final)

    def predict(self, window: Window, codebook: int, start: IntArray, draws: Sequence[Draw]) -> None:
        table = self._tables[codebook]
        codes = window.codes[:, :, codebook]
        for row, (first, own) in enumerate(zip(start.tolist(), draws, strict=True)):
            x = window.final[row] + table[codes[row]]
            logits = self._logits(codebook, x[None], np.array([first], np.int64))[0]
            noise = None
            if not own.sampling.greedy:
                noise = self._noise.frames(own.seed, own.step, first, len(x), logits.shape[-1])
            codes[row, first:] = draw(logits, noise, own.sampling)
            window.final[row] += table[codes[row]]

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

    def codes(self, window: Window) -> IntArray:
        return window.codes

    def release(self) -> None:
        """Nothing is kept between calls."""
