"""Arrays of plain numbers are read as numpy reads them, and nothing else is."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.files.npy import map_npy, read_npy


def saved(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@given(st.binary(max_size=400) | st.builds(lambda n: b"\x93NUMPY\x01\x00" + n, st.binary(max_size=200)))
def test_bytes_that_are_no_npy_are_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError, EOFError):
        assert read_npy(data).nbytes <= len(data)


@pytest.mark.parametrize(
    "array", [np.arange(6), np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3)), np.array(5)]
)
def test_an_npy_is_read_as_numpy_reads_it(array: Any) -> None:
    data = saved(array)
    np.testing.assert_array_equal(read_npy(data), array)
    with pytest.raises(ValueError, match="bytes"):
        read_npy(data + b"\0")


def test_a_header_that_says_more_than_is_there_allocates_nothing() -> None:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": (2**40,)})
    with pytest.raises(ValueError, match="bytes"):
        read_npy(file.getvalue())


def test_every_type_of_number_and_every_version_is_read() -> None:
    for name in ("?", "b", "B", "h", "H", "i", "I", "q", "Q", "e", "f", "d", ">i4", ">f8"):
        array = np.ones((2, 3), name)
        np.testing.assert_array_equal(read_npy(saved(array)), array)
    for version in ((1, 0), (2, 0), (3, 0)):
        file = io.BytesIO()
        np.lib.format.write_array(file, np.arange(4), version=version)
        np.testing.assert_array_equal(read_npy(file.getvalue()), np.arange(4))


def headed(text: str, numbers: bytes = bytes(24)) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + numbers


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (3,)}   \n",
        '{"shape": (3L, ), "descr": "<i8", "fortran_order": False}',  # Python 2's, and another order
    ],
)
def test_headers_that_others_write_are_read(header: str) -> None:
    np.testing.assert_array_equal(read_npy(headed(header)), np.zeros(3, np.int64))


PLAIN = "{'descr': '<i8', 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    "header",
    [
        PLAIN % ("(" * 5000),
        PLAIN % ("-" * 9000 + "1"),
        PLAIN % f"({'9' * 5000},)",
        PLAIN % "(-3,)",
        PLAIN % "(3.0,)",
        PLAIN % "3",
        PLAIN % f"({'1,' * 64})",
        PLAIN % "(9223372036854775807, 9223372036854775807)",
        PLAIN.replace("<i8", "O") % "(3,)",
        PLAIN.replace("<i8", "V8") % "(3,)",
        PLAIN.replace("<i8", "S0") % "(9223372036854775807,)",
        PLAIN.replace("'<i8'", "[('a', '<i8')]") % "(3,)",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), 'more': 1}",
        "{'descr': '<i8', 'descr': '<i8', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<i8', 'fortran_order': 1, 'shape': (3,)}",
        "__import__('os').system('true')",
        "",
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_header_is_matched_and_never_evaluated(header: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it"):
        read_npy(headed(header))
    (tmp_path / "x.npy").write_bytes(headed(header))
    with pytest.raises(ValueError, match="it"):
        map_npy(tmp_path / "x.npy")


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3)), np.empty((0, 4))]
)
def test_a_mapped_file_is_the_array(array: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", array)
    np.testing.assert_array_equal(map_npy(tmp_path / "x.npy"), array)
    (tmp_path / "x.npy").write_bytes(saved(array) + b"\0")
    with pytest.raises(ValueError, match="bytes"):
        map_npy(tmp_path / "x.npy")
