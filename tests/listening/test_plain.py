"""A listener without words tells a good take from a bad one."""

import numpy as np
import pytest

from alrakis.listening.plain import PlainListener
from tests.listening.results import RATE_HZ, result, tone

GOOD = result(tone(1.9))
BAD = {
    "too short": result(tone(0.4)),
    "too long": result(tone(8.0)),
    "did not end": result(tone(1.9), tokens=768),
    "silence at the end": result(np.concatenate([tone(1.9), np.zeros(4 * RATE_HZ, np.float32)])),
    "clipped": result(np.sign(tone(1.9)).astype(np.float32)),
    "hardly to be heard": result(tone(1.9, 0.001)),
    "silent": result(np.zeros(RATE_HZ, np.float32)),
    "nothing": result(np.zeros(0, np.float32), tokens=0),
}


def test_a_good_take_has_no_error() -> None:
    score = PlainListener().score(GOOD, "en")
    assert score.error == 0.0
    assert score.ended
    assert score.length == pytest.approx(1.0, abs=0.1)
    assert score.word_error_rate is None
    PlainListener().check("zh")


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_take_has_one(kind: str) -> None:
    assert 0.1 < PlainListener().score(BAD[kind], "en").error <= 1.0
