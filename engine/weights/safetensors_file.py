"""Reading safetensors files as memory-mapped arrays.

The numpy API of the safetensors library copies each tensor and has no bfloat16.
"""

import math
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from alrakis.errors import WeightsError
from alrakis.files.parsing import first_problem, parse_json
from alrakis.weights.types import Array

_DTYPES: dict[str, npt.DTypeLike] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
_MAX_HEADER_BYTES = 2 << 20  # Bark's header has 200 kB
_MAX_ARRAYS = 10_000  # the large Bark has about 1,000
_MAX_AXES = 16


class _Entry(BaseModel):
    """What the header says of one array."""

    model_config = ConfigDict(strict=True)

    dtype: str
    shape: list[NonNegativeInt] = Field(max_length=_MAX_AXES)
    data_offsets: list[NonNegativeInt] = Field(min_length=2, max_length=2)


def read_safetensors(path: Path) -> dict[str, Array]:
    """All arrays of a file by name: read-only views of the mapped file. Raises WeightsError."""
    try:
        buffer = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise WeightsError(f"{path} cannot be read: {error}") from None
    try:
        return _arrays(buffer)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(
            f"{path} is damaged, incomplete or not a safetensors file ({error}); fetch it again"
        ) from None


def _arrays(buffer: npt.NDArray[np.uint8]) -> dict[str, Array]:
    length = int.from_bytes(bytes(buffer[:8]), "little")
    start = 8 + length
    if len(buffer) < 8 or length > _MAX_HEADER_BYTES or start > len(buffer):
        raise ValueError(f"its header does not fit in its {len(buffer)} bytes")
    header = parse_json(bytes(buffer[8:start]))
    header.pop("__metadata__", None)
    if len(header) > _MAX_ARRAYS:
        raise ValueError(f"it has {len(header)} arrays; up to {_MAX_ARRAYS} are read")
    entries = {name: _entry(name, values) for name, values in header.items()}
    data, end = buffer[start:], 0
    arrays = {}
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        first, last = entry.data_offsets
        if first != end:  # the format allows no gaps and no overlaps
            raise ValueError(f"{name:.80} does not begin where the array before it ends")
        arrays[name] = _array(name, entry, data)
        end = last
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow its last array")
    return {name: arrays[name] for name in entries}


def _entry(name: str, values: Any) -> _Entry:
    try:
        return _Entry.model_validate(values)
    except ValidationError as error:
        raise ValueError(f"{name:.80}: {first_problem(error.errors(include_url=False))}") from None


def _array(name: str, entry: _Entry, data: npt.NDArray[np.uint8]) -> Array:
    if entry.dtype not in _DTYPES:
        raise ValueError(f"{name:.80} has the type {entry.dtype:.20}, which is not read")
    dtype = np.dtype(_DTYPES[entry.dtype])
    first, last = entry.data_offsets
    if not first <= last <= len(data):
        raise ValueError(f"{name:.80} lies outside the file")
    if last - first != math.prod(entry.shape) * dtype.itemsize:
        raise ValueError(f"{name:.80} has {last - first} bytes, which is not {dtype} of shape {entry.shape}")
    return np.require(data[first:last].view(dtype), requirements="A").reshape(entry.shape)
