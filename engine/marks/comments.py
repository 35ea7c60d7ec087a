"""Vorbis comments, as FLAC and Ogg hold them (xiph.org, "Vorbis I specification", section 5)."""

import struct
from collections.abc import Sequence


def more_comments(body: bytes, comments: Sequence[str]) -> bytes:
    """A block of comments with some more; what follows the block in `body` stays."""
    (vendor,) = struct.unpack_from("<I", body)
    place = 4 + vendor
    (count,) = struct.unpack_from("<I", body, place)
    end = place + 4
    for _ in range(count):
        (length,) = struct.unpack_from("<I", body, end)
        end += 4 + length
    added = b"".join(struct.pack("<I", len(data)) + data for data in map(str.encode, comments))
    return (
        body[:place] + struct.pack("<I", count + len(comments)) + body[place + 4 : end] + added + body[end:]
    )
