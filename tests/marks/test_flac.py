"""FLAC: blocks keep their order, and the last is marked so."""

import io

import numpy as np
import soundfile

from alrakis.marks.flac import copy_flac


def test_a_copy_with_comments_is_whole() -> None:
    source, target = io.BytesIO(), io.BytesIO()
    soundfile.write(source, np.zeros(1000, np.float32), 24_000, format="FLAC")
    source.seek(0)
    copy_flac(source, target, ["CHAPTER001=00:00:00.000"], b"\xff\xd8 a cover")
    assert b"CHAPTER001=00:00:00.000" in target.getvalue()
    target.seek(0)
    assert len(soundfile.read(target)[0]) == 1000
