"""m4b: AAC with chapters; an encoder's error is told."""

import io
import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest

from alrakis.marks.m4b import write_m4b
from alrakis.marks.mark import Mark


def test_chapters_are_asked_for_at_the_end(tmp_path: Path) -> None:
    seen: list[int] = []
    target = io.BytesIO()

    def pieces():  # type: ignore[no-untyped-def]
        for length in (10_000, 30_000):
            seen.append(length)
            yield np.full(length, 0.1, np.float32)

    def marks() -> list[Mark]:
        assert seen == [10_000, 30_000]
        return [Mark("One", 0, 1)]

    write_m4b(target, tmp_path, pieces(), 24_000, {"title": "T"}, marks, None)
    target.seek(0)
    with av.open(target) as file:
        assert [mark["metadata"]["title"] for mark in file.chapters()] == ["One"]
        assert file.metadata["title"] == "T"


def png(width: int, height: int) -> bytes:
    """A black picture, of a bit a point."""
    data = zlib.compress(bytes(height * (1 + -(-width // 8))), 1)
    parts = {b"IHDR": struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0), b"IDAT": data, b"IEND": b""}
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    ("cover", "streams"),
    [
        (png(16, 16), 2),
        (png(6000, 6000), 1),
        (png(0, 0), 1),
        (b"\xff\xd8\xff and nothing", 1),
        (b"\x09" + bytes(23) + bytes(24 * 99), 1),  # fuzzer's input cover-7000124: karaoke
        (b"YUV4MPEG2 W16 H16 F25:1 Ip A0:0\nFRAME\n" + bytes(384), 1),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", 1),
    ],
    ids=["a picture", "too large", "nothing", "cut off", "karaoke", "a film", "a list of files"],
)
def test_a_cover_is_a_picture_of_a_bearable_size_or_left_out(
    cover: bytes, streams: int, tmp_path: Path
) -> None:
    target = io.BytesIO()
    write_m4b(target, tmp_path, [np.full(2400, 0.1, np.float32)], 24_000, {}, list, cover)
    target.seek(0)
    with av.open(target) as file:
        assert len(file.streams) == streams
