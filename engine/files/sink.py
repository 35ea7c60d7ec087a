"""A file that a library in C writes to: not every error comes back through it, or it prints a traceback."""

import os
from typing import BinaryIO


class Sink:
    """A file from where it is now, whose first error is kept until it is asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._start = file, file.tell()
        self._error: BaseException | None = None

    def check(self) -> None:
        """Raises the first error of all that was written so far."""
        if self._error is not None:
            raise self._error

    def write(self, data: bytes) -> int:
        try:
            self._file.write(data)
        except BaseException as error:  # also Ctrl-C: what is raised into C is lost
            self._error = self._error or error
        return len(data)

    def read(self, count: int) -> bytes:
        return self._file.read(count)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset + (0 if whence else self._start), whence) - self._start
        except BaseException as error:  # what was not written yet is written first
            self._error = self._error or error
            return 0

    def tell(self) -> int:
        return self._file.tell() - self._start
