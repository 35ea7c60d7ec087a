"""Opening zips of other people: no longer a list of files is read than one has."""

import io
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

MOST_LIST_BYTES = 4 << 20  # 46 and a name for each file; zipfile makes 600 bytes of each, in 6 microseconds
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others take memory as their head demands


@contextmanager
def open_zip(source: Path | bytes) -> Iterator[zipfile.ZipFile]:
    """A zip in a file, or the bytes of one. Raises what zipfile raises, BadZipFile for a longer list too."""
    with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
        listed = _Listed(file)
        with zipfile.ZipFile(listed) as archive:
            listed.most_bytes = sys.maxsize
            yield archive


def read_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most_bytes: int) -> bytes:
    """What is in a member, or one byte more than `most_bytes` of it: the length that a zip declares may be
    wrong. Raises what zipfile raises, BadZipFile for what is neither stored nor deflated too.
    """
    if entry.compress_type not in _METHODS:
        raise zipfile.BadZipFile(f"{entry.filename:.80} is packed in a way that is not read")
    with archive.open(entry) as member:
        return member.read(most_bytes + 1)


class _Listed:
    """The file of a zip, of which no more than `most_bytes` are read at once: zipfile reads a list so."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.most_bytes = MOST_LIST_BYTES

    def read(self, count: int = -1) -> bytes:
        if count > self.most_bytes:
            raise zipfile.BadZipFile(f"its list of files has {count} bytes; up to {self.most_bytes} are read")
        return self._file.read(count)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
