"""Reading files of `torch.save` without torch; their tensors are views of the mapped file.

Both formats of `torch/serialization.py` are read: the zip, since torch 1.6, and the older series of pickles.
`torch_pickle.py` says what a pickle in them may contain.
"""

import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.errors import WeightsError
from alrakis.weights.torch_pickle import Buffer, RefusedError, Storage, Tensor, Unpickler
from alrakis.weights.types import Array

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_ZIP_START = b"PK\x03\x04"
_LONGEST_LINE = 1 << 12  # bytes of a name in a pickle
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
    for name, value in state.items():
        if not (isinstance(name, str) and isinstance(value, Tensor)):
            raise WeightsError(f"{path}: {name!a:.80} in its state dict is not a named tensor")
    try:
        return {name: tensor.array() for name, tensor in state.items()}
    except (ValueError, OverflowError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from None


def _read_zip(path: Path, buffer: Buffer) -> Any:
    with zipfile.ZipFile(path) as archive:
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
    storages: dict[str, Storage] = {}

    def load_storage(dtype: np.dtype[Any], key: str, count: int) -> Storage:
        if key not in storages:
            start, size = extent(f"data/{key}")
            if count * dtype.itemsize > size:
                raise ValueError(f"storage {key:.80} has {size} bytes, too few for {count} numbers")
            storages[key] = Storage(dtype, count, buffer, start)
            _check_room(storages.values(), buffer)
        return storages[key]

    start, size = extent("data.pkl")
    return Unpickler(_Stream(buffer[start : start + size]), load_storage).load()


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
    storages: dict[str, Storage] = {}

    def load_storage(dtype: np.dtype[Any], key: str, count: int, view: Any = None) -> Storage:
        if view is not None:
            raise RefusedError("it is of a very old torch, with views of storages; save it anew with torch")
        storage = storages.setdefault(key, Storage(dtype, count, buffer))
        _check_room(storages.values(), buffer)
        return storage

    file = _Stream(buffer)

    def load() -> Any:
        return Unpickler(file, load_storage).load()

    if load() != _LEGACY_MAGIC or load() != _LEGACY_PROTOCOL:
        raise ValueError("it starts like no checkpoint of torch")
    _check_byte_order(load()["little_endian"])
    result = load()
    for key in load():
        storage = storages[key]
        (count,) = struct.unpack("<q", file.read(8))
        storage.start = file.at
        if count != storage.count:
            raise ValueError(f"storage {key} has {count} numbers, not {storage.count}")
        file.at += count * storage.dtype.itemsize
    if file.at > len(buffer) or any(storage.start is None for storage in storages.values()):
        raise ValueError("the file ends before its last tensor")
    return result


class _Stream:
    """A mapped file as a stream."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer, self.at = buffer, 0

    def read(self, count: int) -> bytes:
        found = bytes(self._buffer[self.at : self.at + max(0, count)])
        self.at += len(found)
        return found

    def readline(self) -> bytes:
        start = bytes(self._buffer[self.at : self.at + _LONGEST_LINE])
        return self.read(start.find(b"\n") + 1 or len(start))


def _check_room(storages: Iterable[Storage], buffer: Buffer) -> None:
    """Raises ValueError if the storages together are longer than the file, as overlapping ones may be."""
    if sum(storage.count * storage.dtype.itemsize for storage in storages) > len(buffer):
        raise ValueError("its storages are longer than the file")


def _check_byte_order(little: bool) -> None:
    if not little:
        raise RefusedError("it was written on a big-endian machine; save it anew on this one with torch")
