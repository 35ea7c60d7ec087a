"""Results of chosen audio."""

import numpy as np

from alrakis.result import Result
from alrakis.timings import Timings

RATE_HZ = 24_000
TEXT = "The old man sat by the fire."  # about 1.9 s


def tone(seconds: float, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(np.arange(round(RATE_HZ * seconds)) * 0.1)).astype(np.float32)


def result(audio: np.ndarray, *, text: str = TEXT, tokens: int = 100, seed: int = 0) -> Result:
    """A result with this audio, whose text stage drew so many tokens."""
    codes = np.zeros((8, 10), np.int64)
    return Result(
        text=text,
        audio=audio,
        sample_rate=RATE_HZ,
        semantic_tokens=np.zeros(tokens, np.int64),
        coarse_tokens=codes[:2],
        fine_tokens=codes,
        seed=seed,
        voice=None,
        config="c",
        weights="w",
        timings=Timings(),
    )
