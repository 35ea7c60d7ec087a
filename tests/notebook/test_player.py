"""What a notebook shows: a player up to 2 MB, a waveform, seed and voice; nothing of a text is markup."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile

from alrakis.notebook.player import MOST_BYTES, player_html

RATE_HZ = 24_000


def tone(seconds: float) -> np.ndarray:
    return (0.5 * np.sin(np.arange(round(RATE_HZ * seconds)) * 0.1)).astype(np.float32)


@pytest.mark.parametrize(("seconds", "kind"), [(1.0, "audio/wav"), (60.0, "audio/mpeg")])
def test_a_player_has_the_whole_audio(seconds: float, kind: str) -> None:
    page = player_html("Hello", tone(seconds), RATE_HZ, {"seed": 7, "voice": None, "": "1 s"})
    found = re.search(rf'src="data:{kind};base64,([^"]+)"', page)
    assert found
    data = base64.b64decode(found[1])
    assert len(data) <= MOST_BYTES
    assert soundfile.info(io.BytesIO(data)).duration == pytest.approx(seconds, abs=0.1)
    assert "seed 7, 1 s" in page
    assert "voice" not in page
    assert page.count("M") >= 160


def test_what_is_too_long_or_silent_says_so() -> None:
    assert "too long to be embedded" in player_html("a", tone(1200), RATE_HZ, {})
    assert "no audio" in player_html("a", np.zeros(0, np.float32), RATE_HZ, {})
    assert "<svg" in player_html("a", np.zeros(100, np.float32), RATE_HZ, {})


def test_texts_are_escaped() -> None:
    page = player_html("<script>" + "x" * 300, tone(0.1), RATE_HZ, {"voice": "<b>"})
    assert "<script>" not in page
    assert "<b>" not in page
    assert "..." in page
