"""Ogg: the page of the comments is written anew, its checksum is right, and what does not fit is left out."""

import io

import numpy as np
import soundfile

from alrakis.marks.ogg import _checksum, copy_ogg


def ogg() -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(24_000, np.float32), 24_000, format="OGG", subtype="VORBIS")
    file.seek(0)
    return file


def test_comments_are_added_and_the_audio_stays() -> None:
    target = io.BytesIO()
    assert copy_ogg(ogg(), target, ["A=1", "B=2"]) == 2
    target.seek(0)
    assert len(soundfile.read(target)[0]) == 24_000
    assert b"A=1" in target.getvalue()


def test_no_comments_change_nothing() -> None:
    source, target = ogg(), io.BytesIO()
    copy_ogg(source, target, [])
    assert target.getvalue() == source.getvalue()


def test_comments_without_room_are_left_out_in_pairs() -> None:
    target = io.BytesIO()
    added = copy_ogg(ogg(), target, ["A=" + "x" * 20_000] * 8)
    assert 0 < added < 8
    assert added % 2 == 0
    target.seek(0)
    assert len(soundfile.read(target)[0]) == 24_000


def test_the_checksum_is_that_of_rfc_3533() -> None:
    assert _checksum(b"123456789") == 0x89A1897F
