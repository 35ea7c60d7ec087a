"""Reading files of `torch.save` without torch, and without running code from them.

A pickle can name any function to be called. This unpickler knows only tensors, storages, dtypes, OrderedDict
and numpy scalars, and puts an object of this module in place of each. It refuses any other name, so nothing
that a checkpoint names is imported or called. Tensors stay on disk: they are views of the mapped file.

Both formats of `torch/serialization.py` are read: the zip, since torch 1.6, and the older series of pickles.
"""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

from alrakis.errors import WeightsError
from alrakis.weights.types import Array

Buffer = npt.NDArray[np.uint8]

_DTYPES: dict[str, npt.DTypeLike] = {
    "Float": np.float32,
    "Half": np.float16,
    "BFloat16": ml_dtypes.bfloat16,
    "Double": np.float64,
    "Long": np.int64,
    "Int": np.int32,
    "Short": np.int16,
    "Char": np.int8,
    "Byte": np.uint8,
    "Bool": np.bool_,
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_ZIP_START = b"PK\x03\x04"
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
    except _RefusedError as error:
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
    odd = [name for name, value in state.items() if not (isinstance(name, str) and isinstance(value, Tensor))]
    if odd:
        raise WeightsError(f"{path}: {odd[0]!r} in its state dict is not a named tensor")
    try:
        return {name: tensor.array() for name, tensor in state.items()}
    except (ValueError, OverflowError) as error:
        raise WeightsError(f"{path} is damaged: a tensor has an impossible shape ({error})") from None


class _RefusedError(Exception):
    """The file is readable, but refused."""


class Storage:
    """Consecutive numbers in a file, from the byte `start`, which is None until it is known."""

    def __init__(self, dtype: np.dtype[Any], count: int, buffer: Buffer, start: int | None = None) -> None:
        if count < 0:
            raise ValueError(f"a storage has {count} numbers")
        self.dtype, self.count, self.buffer, self.start = dtype, count, buffer, start

    @cached_property
    def numbers(self) -> Array:
        """The numbers, `(count,)`: a view of the file, or a copy if they are not aligned in it."""
        if self.start is None:
            raise ValueError("it is not known where a tensor's numbers lie")
        end = self.start + self.count * self.dtype.itemsize
        found = self.buffer[self.start : end].view(np.ndarray).view(self.dtype)
        return np.require(found, requirements="A")


class Tensor:
    """A tensor in a file: a view of a storage; strides count numbers, as in torch."""

    def __init__(self, storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride
        self._check()

    def _check(self) -> None:
        counts = (self.offset, *self.size, *self.stride)
        if not isinstance(self.storage, Storage) or not all(type(n) is int and n >= 0 for n in counts):
            raise ValueError("a tensor has no storage, or a size or stride that is not a count")
        if len(self.size) != len(self.stride):
            raise ValueError(f"a tensor of {len(self.size)} axes has {len(self.stride)} strides")
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        if 0 not in self.size and last >= self.storage.count:
            raise ValueError("a tensor reaches outside its storage")

    def array(self) -> Array:
        """The tensor as a read-only array; tensors that share a storage share memory."""
        numbers = self.storage.numbers
        steps = [step * numbers.itemsize for step in self.stride]
        if 0 in self.size:
            return np.empty(self.size, numbers.dtype)
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], self.size, steps, writeable=False)


class _Dict(dict[Any, Any]):
    """In place of OrderedDict. Drops the attributes that a torch module adds to its state dict."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        return


class _Function:
    """In place of a function: it can be called, and has no state that a pickle could set."""

    __slots__ = ("_run",)

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run

    def __call__(self, *args: Any) -> Any:
        return self._run(*args)

    def __setstate__(self, state: object) -> None:
        raise _RefusedError("its pickle sets the state of a function, which no checkpoint needs")


class _NumpyDType:
    """In place of a numpy dtype: its code, until a scalar is made with it."""

    __slots__ = ("code",)

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        if code not in {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}:
            raise _RefusedError(f"it holds a numpy scalar of type {code!r}; only numbers are admitted")
        self.code = code

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">"):
            self.code = state[1] + self.code


class _StorageType:
    """In place of `torch.FloatStorage` and the like."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)


def _rebuild_tensor(
    storage: Storage, offset: int, size: Iterable[int], stride: Iterable[int], *_: Any
) -> Tensor:
    return Tensor(storage, offset, tuple(size), tuple(stride))


def _numpy_scalar(dtype: _NumpyDType, data: bytes) -> Any:
    return np.frombuffer(data, dtype.code, count=1)[0]


def _encode(text: str, encoding: str) -> bytes:
    """In place of `_codecs.encode`, with which pickle protocol 2 writes the bytes of numpy scalars."""
    if encoding != "latin1":
        raise _RefusedError(f"its pickle asks for the codec {encoding!r}; only latin1 is admitted")
    return text.encode("latin1")


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("collections", "OrderedDict"): _Dict,
    ("numpy", "dtype"): _NumpyDType,
    ("numpy.core.multiarray", "scalar"): _numpy_scalar,
    ("numpy._core.multiarray", "scalar"): _numpy_scalar,  # numpy 2
    ("_codecs", "encode"): _encode,
}
_TORCH_DTYPES = frozenset(
    ("float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")
)


# Not the faster C class: that allocates a table of whatever size a damaged memo index demands.
class _Unpickler(pickle._Unpickler):
    """An unpickler that knows only the names above."""

    def __init__(self, file: io.BufferedIOBase, load_storage: Callable[..., Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self._load_storage = load_storage

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _FUNCTIONS:
            return _Function(_FUNCTIONS[module, name])
        if module == "torch" and name.removesuffix("Storage") in _DTYPES and name.endswith("Storage"):
            return _StorageType(_DTYPES[name.removesuffix("Storage")])
        if module == "torch" and name in _TORCH_DTYPES:
            return name
        raise _RefusedError(
            f"its pickle asks for {module}.{name}; a checkpoint may hold tensors, numbers and text only, "
            "and nothing in it was run. Take one from a source that you trust"
        )

    def persistent_load(self, pid: Any) -> Storage:
        kind, storage_type, key, _location, count, *view = pid
        if kind != "storage" or not isinstance(storage_type, _StorageType) or type(count) is not int:
            raise ValueError("a storage is not described as torch does")
        return self._load_storage(storage_type.dtype, str(key), count, *view)


def _read_zip(path: Path, buffer: Buffer) -> Any:
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
    root = next((name[: -len("data.pkl")] for name in entries if name.endswith("/data.pkl")), None)
    if root is None:
        raise ValueError("the zip holds no data.pkl")

    def extent(name: str) -> tuple[int, int]:
        return _extent(buffer, entries[root + name])

    def content(name: str) -> bytes:
        start, size = extent(name)
        return bytes(buffer[start : start + size])

    _check_byte_order(root + "byteorder" not in entries or content("byteorder") == b"little")
    storages: dict[str, Storage] = {}

    def load_storage(dtype: np.dtype[Any], key: str, count: int) -> Storage:
        if key not in storages:
            start, size = extent(f"data/{key}")
            if count * dtype.itemsize > size:
                raise ValueError(f"storage {key} has {size} bytes, too few for {count} numbers")
            storages[key] = Storage(dtype, count, buffer, start)
        return storages[key]

    return _Unpickler(io.BytesIO(content("data.pkl")), load_storage).load()


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
            raise _RefusedError("it is of a very old torch, with views of storages; save it anew with torch")
        return storages.setdefault(key, Storage(dtype, count, buffer))

    file = io.BufferedReader(_Mapped(buffer))

    def load() -> Any:
        return _Unpickler(file, load_storage).load()

    if load() != _LEGACY_MAGIC or load() != _LEGACY_PROTOCOL:
        raise ValueError("it starts like no checkpoint of torch")
    _check_byte_order(load()["little_endian"])
    result = load()
    for key in load():
        storage = storages[key]
        (count,) = struct.unpack("<q", file.read(8))
        storage.start = file.tell()
        if count != storage.count:
            raise ValueError(f"storage {key} has {count} numbers, not {storage.count}")
        file.seek(count * storage.dtype.itemsize, io.SEEK_CUR)
    if file.tell() > len(buffer) or any(storage.start is None for storage in storages.values()):
        raise ValueError("the file ends before its last tensor")
    return result


class _Mapped(io.RawIOBase):
    """A mapped file as a stream."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer, self._at = buffer, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        count = max(0, min(len(target), len(self._buffer) - self._at))
        target[:count] = bytes(self._buffer[self._at : self._at + count])
        self._at += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, len(self._buffer))[whence]
        return self._at


def _check_byte_order(little: bool) -> None:
    if not little:
        raise _RefusedError("it was written on a big-endian machine; save it anew on this one with torch")
