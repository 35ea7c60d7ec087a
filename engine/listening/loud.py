"""Where audio is loud."""

import numpy as np

from alrakis.sampling import FloatArray

FRAME_S = 0.01  # silence is looked for in steps of this


def loud_span(audio: FloatArray, rate_hz: int, floor_db: float) -> tuple[int, int]:
    """The samples from which on, and up to which, audio is louder than floor_db below its loudest frame.

    (0, 0) for silence.
    """
    frame = max(1, round(FRAME_S * rate_hz))
    starts = np.arange(0, len(audio), frame)
    if len(starts) == 0:
        return 0, 0
    power = np.add.reduceat(np.square(audio, dtype=np.float64), starts)
    loud = np.flatnonzero(power > power.max() * 10 ** (floor_db / 10))
    if len(loud) == 0:
        return 0, 0
    return int(loud[0]) * frame, min(int(loud[-1] + 1) * frame, len(audio))
