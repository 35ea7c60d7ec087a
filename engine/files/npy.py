"""Reading `.npy` data: plain numbers, as many as the bytes hold."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}  # of the header's length, by version
_LONGEST_HEADER = 10_000  # bytes; those of plain arrays have about 128
_ENTRY = re.compile(
    r"""\s*(["'])(descr|fortran_order|shape)\1\s*:\s*"""
    r"""((["'])[^"']{1,20}\4|True|False|\([\d,L\s]{0,400}\))\s*(,|(?=\}))"""
)
_NUMBERS = re.compile(r"[<>|=]?(b1|[iu][1248]|f2|f4|f8|f16)")


def read_npy(data: bytes) -> npt.NDArray[Any]:
    """The array in the bytes of an `.npy` file. Raises ValueError if they are not plain numbers that fit."""
    dtype, shape, order, start = _header(data)
    rest = memoryview(data)[start:]
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise ValueError(f"it has {len(rest)} bytes, which are not {dtype} of shape {shape!s:.80}")
    return np.frombuffer(rest, dtype).reshape(shape, order=order)


def map_npy(path: Path) -> npt.NDArray[Any]:
    """The array in an `.npy` file, mapped to be read. Raises ValueError or OSError."""
    with open(path, "rb") as file:
        dtype, shape, order, start = _header(file.read(_LONGEST_HEADER + len(_MAGIC) + 6))
        size = file.seek(0, 2) - start
    if math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"it has {size} bytes, which are not {dtype} of shape {shape!s:.80}")
    if size == 0:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", start, shape, order)


def _header(data: bytes) -> tuple[np.dtype[Any], tuple[int, ...], Any, int]:
    """Type, shape, order and start of the numbers. Source of the format: `numpy/lib/format.py`.

    numpy evaluates this text as Python, which costs what the text chooses; here it is matched.
    """
    version = data[6:8]
    if data[:6] != _MAGIC or version not in _LENGTH_BYTES:
        raise ValueError("it does not begin as an .npy file of version 1, 2 or 3 does")
    first = 8 + _LENGTH_BYTES[version]
    length = int.from_bytes(data[8:first], "little")
    text = data[first : first + length].decode("latin-1")
    if len(text) < length or length > _LONGEST_HEADER:
        raise ValueError(f"its header of {length} bytes does not fit")
    entries = _entries(text)
    if set(entries) != {"descr", "fortran_order", "shape"}:
        raise ValueError("its header does not say what its numbers are")
    descr, order, shape = entries["descr"][1:-1], entries["fortran_order"], entries["shape"]
    if descr in ("O", "|O"):
        raise ValueError("it holds pickled objects, which could run code; save plain integer arrays instead")
    sizes = [size.strip().rstrip("L") for size in shape.strip("()").split(",") if size.strip()]
    if not (_NUMBERS.fullmatch(descr) and order in ("True", "False") and shape.startswith("(")):
        raise ValueError("its header does not say what its numbers are")
    if len(sizes) > 32 or not all(size.isdecimal() and len(size) < 20 for size in sizes):
        raise ValueError(f"its shape cannot be: {shape:.80}")
    return np.dtype(descr), tuple(map(int, sizes)), "F" if order == "True" else "C", first + length


def _entries(text: str) -> dict[str, str]:
    """The entries of a header, which is written as a dict in Python."""
    inside, entries, at = text.strip(" \n"), dict[str, str](), 1
    while found := _ENTRY.match(inside, at):
        if found[2] in entries:
            raise ValueError(f"its header says {found[2]} twice")
        entries[found[2]], at = found[3], found.end()
    if inside[:1] != "{" or inside[at:].strip() != "}":
        raise ValueError("its header does not say what its numbers are")
    return entries
