"""Chapter marks and covers, as FFmpeg and libsndfile read them back."""

import io
import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from alrakis.audio import save_pieces
from alrakis.audio_tags import read_tags
from alrakis.marks.mark import Mark, marks_at, vorbis_comments

RATE_HZ = 24_000
CHAPTERS = [(0, "One"), (2, "Zwö"), (3, "Three")]
SECONDS = (1.0, 2.5, 0.5, 3.0)


def pieces() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal(round(RATE_HZ * seconds)) * 0.1).astype(np.float32) for seconds in SECONDS]


def png() -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0\xff\xff\xff\0\0\0" * 2)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


@pytest.mark.parametrize("extension", ["mp3", "flac", "ogg", "m4b"])
def test_chapters_are_where_they_begin(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"b.{extension}"
    tags = {"title": "T", "artist": "A", "album": "B", "text": "all of it", "seed": "7"}
    save_pieces(path, iter(pieces()), RATE_HZ, tags, CHAPTERS, png())
    with av.open(str(path)) as file:
        found = [
            (mark["metadata"]["title"], float(mark["start"] * mark["time_base"])) for mark in file.chapters()
        ]
        samples = sum(frame.samples for frame in file.decode(audio=0))
        pictures = len(file.streams.video)
    assert found == [("One", 0.0), ("Zwö", 3.5), ("Three", 4.0)]
    assert samples / RATE_HZ == pytest.approx(sum(SECONDS), abs=0.1)
    assert pictures == (extension != "ogg")
    if extension != "m4b":
        assert soundfile.info(path).duration == pytest.approx(sum(SECONDS), abs=0.05)
        assert read_tags(path).items() >= tags.items()


def test_flac_is_the_same_audio_bit_for_bit(tmp_path: Path) -> None:
    save_pieces(tmp_path / "a.flac", iter(pieces()), RATE_HZ, {"title": "T"})
    save_pieces(tmp_path / "b.flac", iter(pieces()), RATE_HZ, {"title": "T"}, CHAPTERS, png())
    one, other = (soundfile.read(tmp_path / name, dtype="int16")[0] for name in ("a.flac", "b.flac"))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("extension", ["mp3", "flac", "ogg", "m4b"])
def test_hundreds_of_chapters_and_long_titles(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"b.{extension}"
    short = [np.full(RATE_HZ // 10, 0.1, np.float32)] * 400
    save_pieces(path, iter(short), RATE_HZ, {}, [(number, "x" * 300) for number in range(400)])
    with av.open(str(path)) as file:
        marks = list(file.chapters())
    assert len(marks) == (400 if extension != "ogg" else pytest.approx(180, abs=40))
    assert soundfile.info(path).duration == pytest.approx(40, abs=0.1) if extension != "m4b" else True


def test_times_as_vorbis_writes_them() -> None:
    marks = marks_at([0, 5000], ["a", "b"], 10_000, 1000)
    assert marks == [Mark("a", 0.0, 5.0), Mark("b", 5.0, 10.0)]
    assert vorbis_comments([Mark("a", 3723.5, 4000)]) == ["CHAPTER001=01:02:03.500", "CHAPTER001NAME=a"]
    assert marks_at([], [], 0, 1000) == []


def test_a_cover_that_is_no_picture_is_left_out(tmp_path: Path) -> None:
    for cover in (b"", b"\xff\xd8 broken", io.BytesIO(b"x").read()):
        save_pieces(tmp_path / "b.m4b", iter(pieces()), RATE_HZ, {}, CHAPTERS, cover)
        with av.open(str(tmp_path / "b.m4b")) as file:
            assert len(list(file.chapters())) == 3
