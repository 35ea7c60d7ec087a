"""Listening without a recogniser: length, end, silence, level, clipping. It is always there, and quick."""

import math
from typing import TYPE_CHECKING

import numpy as np

from alrakis.listening.loud import loud_span
from alrakis.listening.score import Score
from alrakis.spec import MAX_SEMANTIC_STEPS
from alrakis.text.pace import expected_s

if TYPE_CHECKING:
    from alrakis.result import Result

FLOOR_DB = -40.0  # below the loudest frame: what is softer is silence
_FREE = math.log(1.4)  # a take may be so much longer or shorter than expected, as people differ
_QUIET_DB = -50.0
_FULL = 0.999


class PlainListener:
    """Knows every language, and no word."""

    def __repr__(self) -> str:
        return "<PlainListener>"

    def check(self, language: str) -> None:
        """Nothing is wrong with any."""

    def score(self, result: "Result", language: str) -> Score:
        """How much a take is off in length, whether it ended, and how it sounds at the end."""
        audio, rate_hz = result.audio, result.sample_rate
        begin, end = loud_span(audio, rate_hz, FLOOR_DB)
        if begin == end:
            return Score(1.0, 0.0, False, result.duration_s, 0.0, -math.inf if len(audio) == 0 else -120.0)
        said = result.said if result.said is not None else result.text
        length = (end - begin) / rate_hz / max(expected_s(said, language), 0.2)
        ended = len(result.semantic_tokens) < MAX_SEMANTIC_STEPS - 1
        silence_s = (len(audio) - end) / rate_hz
        clipped = float(np.mean(np.abs(audio) >= _FULL))
        level_db = 10 * math.log10(max(float(np.mean(np.square(audio[begin:end], dtype=np.float64))), 1e-12))
        error = max(0.0, abs(math.log(length)) - _FREE)
        error += 0.0 if ended else 0.5
        error += 0.1 * max(0.0, silence_s - 1.0)
        error += 0.3 if level_db < _QUIET_DB else 0.0
        error += min(0.3, 30 * clipped)
        return Score(min(1.0, error), length, ended, silence_s, clipped, level_db)
