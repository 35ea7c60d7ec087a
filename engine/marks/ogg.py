"""More comments in an Ogg Vorbis file (RFC 3533): its second packet is written anew, in one page.

The first page holds the first packet, the pages after it the comments and the setup, and no audio. A page has
up to 255 times 255 bytes; where the comments do not fit into one, some of the marks are left out.
"""

import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from alrakis.marks.comments import more_comments

_HEAD = struct.Struct("<4sBBqIIIB")
_PREFIX = b"\x03vorbis"


@dataclass
class _Page:
    head: tuple[bytes, int, int, int, int, int, int, int]
    lacing: bytes
    body: bytes


def copy_ogg(source: BinaryIO, target: BinaryIO, comments: Sequence[str]) -> int:
    """Copy an Ogg file from where it begins, with comments added; gives how many of them found room.

    A file whose headers are laid out in another way than libvorbis does is copied as it is.
    """
    first, second = _read(source), _read(source)
    packets = _packets(second)
    if len(packets) != 2 or second.lacing[-1] == 255 or not packets[0].startswith(_PREFIX):
        target.write(_page(first) + _page(second))
        shutil.copyfileobj(source, target, 1 << 20)
        return 0
    added = len(comments)
    while True:
        own = _PREFIX + more_comments(packets[0][len(_PREFIX) :], comments[:added])
        lacing = _lacing(own) + _lacing(packets[1])
        if len(lacing) <= 255:
            break
        added -= 2
    second.lacing, second.body = lacing, own + packets[1]
    target.write(_page(first) + _page(second))
    shutil.copyfileobj(source, target, 1 << 20)
    return added


def _read(source: BinaryIO) -> _Page:
    head = _HEAD.unpack(source.read(_HEAD.size))
    lacing = source.read(head[-1])
    return _Page(head, lacing, source.read(sum(lacing)))


def _packets(page: _Page) -> list[bytes]:
    packets, begin, end = [], 0, 0
    for length in page.lacing:
        end += length
        if length < 255:
            packets.append(page.body[begin:end])
            begin = end
    return packets


def _lacing(packet: bytes) -> bytes:
    return b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])


def _page(page: _Page) -> bytes:
    capture, version, kind, granule, serial, number, _, _ = page.head
    head = _HEAD.pack(capture, version, kind, granule, serial, number, 0, len(page.lacing))
    data = bytearray(head + page.lacing + page.body)
    struct.pack_into("<I", data, 22, _checksum(data))
    return bytes(data)


def _checksum(data: bytes | bytearray) -> int:
    """CRC-32 with the polynomial 0x04c11db7, unreflected, from 0."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
    return crc


def _row(byte: int) -> int:
    crc = byte << 24
    for _ in range(8):
        crc = (crc << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
    return crc


_TABLE = tuple(map(_row, range(256)))
