"""ID3v2.4 tags with text, chapters (id3.org, "ID3v2 Chapter Frame Addendum" 1.0) and a cover."""

import struct
from collections.abc import Mapping, Sequence

from alrakis.marks.mark import Mark

_FRAMES = {"title": "TIT2", "software": "TSSE", "comment": "COMM", "artist": "TPE1", "album": "TALB"}
_MOST_ENTRIES = 255  # of a table of contents
_MOST_TITLE_BYTES = 120
_UNUSED = 0xFFFFFFFF  # in place of an offset in bytes
UTF8 = b"\x03"


def id3_tag(fields: Mapping[str, str], marks: Sequence[Mark] = (), cover: bytes | None = None) -> bytes:
    """A tag to be put before an mp3 stream. Its length does not depend on the marks' times."""
    frames: list[bytes] = []
    for field, value in fields.items():
        language = b"und\0" if field == "comment" else b""
        frames.append(_frame(_FRAMES[field], UTF8 + language + value.encode()))
    if marks:
        names = [f"chapter{number}\0".encode() for number in range(len(marks))]
        listed = names[:_MOST_ENTRIES]
        frames.append(_frame("CTOC", b"toc\0\x03" + bytes([len(listed)]) + b"".join(listed)))
        for name, mark in zip(names, marks, strict=True):
            times = struct.pack(
                ">IIII", round(mark.begin_s * 1000), round(mark.end_s * 1000), _UNUSED, _UNUSED
            )
            frames.append(_frame("CHAP", name + times + _frame("TIT2", UTF8 + _short(mark.title))))
    if cover:
        kind = b"image/png" if cover.startswith(b"\x89PNG") else b"image/jpeg"
        frames.append(_frame("APIC", UTF8 + kind + b"\0\x03\0" + cover))
    body = b"".join(frames)
    return b"ID3\x04\0\0" + _syncsafe(len(body)) + body if body else b""


def _short(title: str) -> bytes:
    """A title that FFmpeg reads too: it takes the length of a frame in a chapter for a plain number."""
    return title.encode()[:_MOST_TITLE_BYTES].decode("utf-8", "ignore").encode()


def _frame(name: str, body: bytes) -> bytes:
    return name.encode() + _syncsafe(len(body)) + b"\0\0" + body


def _syncsafe(number: int) -> bytes:
    """A 28-bit number as 4 bytes of 7 bits."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
