"""Reading files of `torch.save` without torch; their tensors are views of the mapped file.

Both formats of `torch/serialization.py` are read: the zip, since torch 1.6, and the older series of pickles.
`torch_pickle.py` says what a pickle in them may contain.
"""

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.errors import WeightsError
from alrakis.files.zips import open_zip
from alrakis.weights.torch_pickle import Buffer, RefusedError, Storage, Tensor, Unpickler, pickle_file
from alrakis.weights.types import Array

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_ZIP_START = b"PK\x03\x04"
_MOST_TENSORS = 10_000  # of a model; the large Bark has about 1,000 in all
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, ..., length of the name, of the extra field


def read_torch_file(path: Path) -> Any:
    """The object in a file of `torch.save`, with a `Tensor` for each tensor. Raises WeightsError."""
    try:
        buffer = np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise WeightsError(f"{path} cannot be read: {error}") from None
    try:
        if bytes(buffer[:4]) == _ZIP_START:
            return _read_zip(path, buffer)
        return _read_legacy(buffer)
    except RefusedError as error:
        raise WeightsError(f"{path} is not loaded: {error}") from None
    except Exception as error:  # a damaged or hostile pickle can make the unpickler raise anything
        problem = f"{type(error).__name__}: {error}".rstrip(": ")
        raise WeightsError(
            f"{path} is damaged, incomplete or not a torch checkpoint ({problem}); fetch it again"
        ) from None


def tensors_as_arrays(path: Path, state: Any) -> dict[str, Array]:
    """The tensors of a state dict as read-only views of its file. Raises WeightsError."""
    if not isinstance(state, dict) or not state:
        raise WeightsError(f"{path} holds no state dict where one should be, but {type(state).__name__}")
    if len(state) > _MOST_TENSORS:
        raise WeightsError(f"{path} has {len(state)} tensors; a model of up to {_MOST_TENSORS} is read")
    for name, value in state.items():
        if not (isinstance(name, str) and isinstance(value, Tensor)):
            raise WeightsError(f"{path}: {name!a:.80} in its state dict is not a named tensor")
    try:
        return {name: tensor.array() for name, tensor in state.items()}
    except (ValueError, OverflowError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from None


def _read_zip(path: Path, buffer: Buffer) -> Any:
    with open_zip(path) as archive:
        listed = archive.infolist()
    entries = {entry.filename: entry for entry in listed}
    if len(entries) < len(listed):
        raise ValueError("the zip names a file twice")
    root = next((name[: -len("data.pkl")] for name in entries if name.endswith("/data.pkl")), None)
    if root is None:
        raise ValueError("the zip holds no data.pkl")

    def extent(name: str) -> tuple[int, int]:
        return _extent(buffer, entries[root + name])

    if root + "byteorder" in entries:
        start, size = extent("byteorder")
        _check_byte_order(bytes(buffer[start : start + min(size, 7)]) == b"little")
    storages = _Storages(buffer)

    def load_storage(dtype: np.dtype[Any], key: str, count: int) -> Storage:
        if key not in storages:
            start, size = extent(f"data/{key}")
            if count * dtype.itemsize > size:
                raise ValueError(f"storage {key:.80} has {size} bytes, too few for {count} numbers")
            storages.add(key, dtype, count, start)
        return storages[key]

    start, size = extent("data.pkl")
    return Unpickler(pickle_file(buffer[start : start + size]), load_storage).load()


def _extent(buffer: Buffer, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Start and length of an entry's bytes in the file."""
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed, which torch never does")
    header = bytes(buffer[entry.header_offset : entry.header_offset + _LOCAL_HEADER.size])
    signature, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
    start = entry.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    if signature != _ZIP_START or start + entry.file_size > len(buffer):
        raise ValueError(f"{entry.filename} lies outside the file")
    return start, entry.file_size


def _read_legacy(buffer: Buffer) -> Any:
    """Read a series of pickles (magic, protocol, system, object, storage keys), then the storages."""
    storages = _Storages(buffer)

    def load_storage(dtype: np.dtype[Any], key: str, count: int, view: Any = None) -> Storage:
        if view is not None:
            raise RefusedError("it is of a very old torch, with views of storages; save it anew with torch")
        if key not in storages:
            storages.add(key, dtype, count)
        return storages[key]

    file = pickle_file(buffer)

    def load() -> Any:
        return Unpickler(file, load_storage).load()

    if load() != _LEGACY_MAGIC or load() != _LEGACY_PROTOCOL:
        raise ValueError("it starts like no checkpoint of torch")
    _check_byte_order(load()["little_endian"])
    result = load()
    keys = load()
    if type(keys) is not list or not all(type(key) is str for key in keys) or set(keys) != set(storages):
        raise ValueError("its storages are not the ones that its tensors have")
    start = file.tell()
    for key in keys:
        storage = storages[key]
        (count,) = struct.unpack("<q", buffer[start : start + 8].tobytes())
        storage.start = start + 8
        if count != storage.count:
            raise ValueError(f"storage {key:.80} has {count} numbers, not {storage.count}")
        start += 8 + count * storage.dtype.itemsize
    if start > len(buffer):
        raise ValueError("the file ends before its last tensor")
    return result


class _Storages(dict[str, Storage]):
    """The storages of a file by their keys; together they are no longer than the file."""

    def __init__(self, buffer: Buffer) -> None:
        super().__init__()
        self._buffer, self._left = buffer, len(buffer)

    def add(self, key: str, dtype: np.dtype[Any], count: int, start: int | None = None) -> None:
        """Raises ValueError for a storage that the file has no room for beside the others."""
        self[key] = Storage(dtype, count, self._buffer, start)
        self._left -= count * dtype.itemsize
        if self._left < 0:  # as where they overlap
            raise ValueError("its storages are longer than the file")


def _check_byte_order(little: bool) -> None:
    if not little:
        raise RefusedError("it was written on a big-endian machine; save it anew on this one with torch")
