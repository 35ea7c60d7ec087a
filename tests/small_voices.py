"""Voices of a few tokens."""

from typing import Any

import numpy as np

from alrakis.voices import VOICE_KEYS

Arrays = dict[str, Any]


def voice_of(semantic: Any = None, coarse: Any = None, fine: Any = None) -> Arrays:
    return dict(zip(VOICE_KEYS, (semantic, coarse, fine), strict=True))


def small_voice(semantic: int = 20, frames: int = 30) -> Arrays:
    """A voice that Bark takes: random tokens, the same every time."""
    rng = np.random.default_rng(1)
    return voice_of(
        rng.integers(0, 10_000, semantic),
        rng.integers(0, 1024, (2, frames)),
        rng.integers(0, 1024, (8, frames)),
    )
