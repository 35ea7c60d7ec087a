"""Comparing what engines made."""

from typing import Any

import numpy as np

TOKENS = ("semantic_tokens", "coarse_tokens", "fine_tokens")


def same(a: Any, b: Any) -> bool:
    """Whether two results hold the same tokens, and audio equal up to rounding."""
    equal = all(np.array_equal(getattr(a, name), getattr(b, name)) for name in TOKENS)
    return equal and np.allclose(a.audio, b.audio, atol=1e-5)
