"""More comments, and a cover, in a FLAC file (RFC 9639, section 8)."""

import shutil
import struct
from collections.abc import Sequence
from typing import BinaryIO

from alrakis.marks.comments import more_comments

_COMMENTS, _PICTURE = 4, 6
_LAST = 0x80
_MOST_BYTES = (1 << 24) - 1  # of a block


def copy_flac(source: BinaryIO, target: BinaryIO, comments: Sequence[str], cover: bytes | None) -> None:
    """Copy a FLAC file from where it begins, with these comments added to its own."""
    target.write(source.read(4))
    blocks = []
    last = False
    while not last:
        (head,) = struct.unpack(">I", source.read(4))
        last, kind = bool(head >> 24 & _LAST), head >> 24 & 0x7F
        body = source.read(head & _MOST_BYTES)
        blocks.append((kind, more_comments(body, comments) if kind == _COMMENTS else body))
    if cover and len(cover) < _MOST_BYTES - 100:
        blocks.append((_PICTURE, _picture(cover)))
    for number, (kind, body) in enumerate(blocks, 1):
        kind |= _LAST if number == len(blocks) else 0
        target.write(struct.pack(">I", kind << 24 | len(body)) + body)
    shutil.copyfileobj(source, target, 1 << 20)


def _picture(cover: bytes) -> bytes:
    kind = b"image/png" if cover.startswith(b"\x89PNG") else b"image/jpeg"
    sizes = struct.pack(">IIII", 0, 0, 0, 0)  # nobody has looked into it
    return (
        struct.pack(">II", 3, len(kind))
        + kind
        + struct.pack(">I", 0)
        + sizes
        + struct.pack(">I", len(cover))
        + cover
    )
