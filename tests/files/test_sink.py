"""A file that a library in C writes to."""

import io

import pytest

from alrakis.files.sink import Sink


class Full(io.BytesIO):
    """A disk that has room for ten bytes."""

    def write(self, data: object) -> int:
        if self.tell() + len(bytes(data)) > 10:  # type: ignore[call-overload]
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]


def test_it_begins_where_the_file_is() -> None:
    file = io.BytesIO(b"head")
    file.seek(4)
    sink = Sink(file)
    assert sink.write(b"abcd") == 4
    assert sink.seek(1) == 1
    sink.write(b"x")
    assert (sink.tell(), sink.seek(0, 2)) == (2, 4)
    sink.check()
    assert file.getvalue() == b"headaxcd"


def test_the_first_error_is_kept_and_all_is_said_to_be_written() -> None:
    sink = Sink(Full())
    assert sink.write(b"12345678") == 8
    sink.check()
    assert sink.write(b"12345678") == 8
    sink.write(b"1")
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            sink.check()
