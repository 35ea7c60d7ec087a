"""Where audio is loud."""

import numpy as np
import pytest

from alrakis.listening.loud import loud_span
from tests.listening.results import RATE_HZ, tone


def test_the_span_of_a_sound() -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    audio = np.concatenate([silence, tone(0.5), silence * 2])
    begin, end = loud_span(audio, RATE_HZ, -40.0)
    assert begin / RATE_HZ == pytest.approx(1.0, abs=0.011)
    assert end / RATE_HZ == pytest.approx(1.5, abs=0.011)


def test_silence_and_nothing_have_none() -> None:
    assert loud_span(np.zeros(100, np.float32), RATE_HZ, -40.0) == (0, 0)
    assert loud_span(np.zeros(0, np.float32), RATE_HZ, -40.0) == (0, 0)
