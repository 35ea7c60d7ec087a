"""Comments are added behind those that are there."""

import struct

from alrakis.marks.comments import more_comments


def test_comments_are_added() -> None:
    def packed(*texts: bytes) -> bytes:
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)

    block = packed(b"vendor") + struct.pack("<I", 1) + packed(b"A=1")
    added = more_comments(block + b"rest", ["B=2", "C=\u00e9"])
    assert (
        added
        == packed(b"vendor") + struct.pack("<I", 3) + packed(b"A=1", b"B=2", "C=\u00e9".encode()) + b"rest"
    )
