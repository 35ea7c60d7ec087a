"""Reading the pickle in a file of `torch.save` without running code from it.

A pickle can name any function to be called. This unpickler accepts only the following:

- opcodes: those that torch writes (`OPCODES`). They change an object only to fill a list or a dict, to drop
  the attributes of an OrderedDict, and to set the byte order of a numpy dtype;
- names: tensors, storages, dtypes, OrderedDict and numpy scalars. An object of this module is put in place of
  each, so nothing that a checkpoint names is imported or called. None makes much of little: an OrderedDict is
  empty or made from pairs that are written out, and a codec is asked for the bytes of one number;
- keys of dicts: text and whole numbers. Values: numbers, text, bytes, None, lists, tuples, dicts and tensors.

`Tensor.array` checks that a tensor is inside its storage and has no more numbers than its file has bytes.
"""

import io
import pickle
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ClassVar

import ml_dtypes
import numpy as np
import numpy.typing as npt

from alrakis.weights.types import Array

Buffer = npt.NDArray[np.uint8]

DTYPES: dict[str, npt.DTypeLike] = {
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
OPCODES = (
    pickle.PROTO + pickle.FRAME + pickle.STOP + pickle.MARK + pickle.GLOBAL + pickle.STACK_GLOBAL
    + pickle.REDUCE + pickle.BUILD + pickle.BINPERSID
    + pickle.BINPUT + pickle.LONG_BINPUT + pickle.MEMOIZE + pickle.BINGET + pickle.LONG_BINGET
    + pickle.NONE + pickle.NEWTRUE + pickle.NEWFALSE + pickle.BINFLOAT
    + pickle.BININT + pickle.BININT1 + pickle.BININT2 + pickle.LONG1
    + pickle.BINUNICODE + pickle.SHORT_BINUNICODE + pickle.BINBYTES + pickle.SHORT_BINBYTES
    + pickle.EMPTY_TUPLE + pickle.TUPLE + pickle.TUPLE1 + pickle.TUPLE2 + pickle.TUPLE3
    + pickle.EMPTY_LIST + pickle.APPEND + pickle.APPENDS
    + pickle.EMPTY_DICT + pickle.SETITEM + pickle.SETITEMS
)  # fmt: skip
MAX_PICKLE_BYTES = 1 << 20  # Bark's are under 100 kB
MAX_AXES = 16
_MOST_NUMBER_BYTES = 64  # of a numpy scalar, as text


class RefusedError(Exception):
    """The file is readable, but refused."""


class Storage:
    """Consecutive numbers in a file, from the byte `start`, which is None until it is known."""

    def __init__(self, dtype: np.dtype[Any], count: int, buffer: Buffer, start: int | None = None) -> None:
        if not 0 <= count * dtype.itemsize <= len(buffer):
            raise ValueError(f"a storage has {count} numbers, in a file of {len(buffer)} bytes")
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

    __slots__ = ("offset", "size", "storage", "stride")

    def __init__(self, storage: Any, offset: Any, size: tuple[Any, ...], stride: tuple[Any, ...]) -> None:
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def array(self) -> Array:
        """The tensor as a read-only array; tensors that share a storage share memory.

        Raises ValueError if it is not inside its storage, or has more numbers than its file has bytes.
        """
        storage, offset, size, stride = self.storage, self.offset, self.size, self.stride
        if type(storage) is not Storage or not all(
            type(n) is int and n >= 0 for n in (offset, *size, *stride)
        ):
            raise ValueError("a tensor has no storage, or a size or stride that is not a count")
        if len(size) != len(stride) or len(size) > MAX_AXES:
            raise ValueError(f"a tensor has {len(size)} axes and {len(stride)} strides")
        numbers = storage.numbers
        if 0 in size:
            if max(size) > len(storage.buffer):
                raise ValueError("an empty tensor has an axis longer than its file")
            return np.empty(size, numbers.dtype)
        last, count = offset, 1
        for length, step in zip(size, stride, strict=True):
            last += (length - 1) * step
            count *= length
        if last >= len(numbers):
            raise ValueError("a tensor reaches outside its storage")
        if count > len(storage.buffer):  # an axis of stride 0 takes no room in the file
            raise ValueError(f"a tensor has {count} numbers, in a file of {len(storage.buffer)} bytes")
        steps = [step * numbers.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(numbers[offset:], size, steps, writeable=False)


class _Dict(dict[Any, Any]):
    """In place of OrderedDict. Drops the attributes that a torch module adds to its state dict."""

    __slots__ = ()


class _Function:
    """In place of a function that may be called."""

    __slots__ = ("run",)

    def __init__(self, run: Callable[..., Any]) -> None:
        self.run = run


class _NumpyDType:
    """In place of a numpy dtype: its code, until a scalar is made with it."""

    __slots__ = ("code", "order")

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        if code not in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"):
            raise RefusedError("it holds a numpy scalar that is no number")
        self.code, self.order = code, "="


class _StorageType:
    """In place of `torch.FloatStorage` and the like."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)


def _rebuild_tensor(storage: Any, offset: Any, size: Iterable[Any], stride: Iterable[Any], *_: Any) -> Tensor:
    if type(size) is not tuple or type(stride) is not tuple:
        raise ValueError("a tensor's size and stride are not described as torch does")
    return Tensor(storage, offset, size, stride)


def _same(tensor: Any, *_: Any) -> Any:
    return tensor


def _ordered(pairs: Any = ()) -> _Dict:
    """In place of OrderedDict, which Python 2 wrote with a list of its pairs."""
    if type(pairs) not in (list, tuple) or not all(type(p) in (list, tuple) and len(p) == 2 for p in pairs):
        raise RefusedError("its pickle makes an OrderedDict of something else than pairs")
    made = _Dict()
    _fill(made, [key for key, _ in pairs], [value for _, value in pairs])
    return made


def _fill(target: Any, keys: list[Any], values: list[Any]) -> None:
    if type(target) not in (dict, _Dict) or len(keys) != len(values):
        raise RefusedError("its pickle fills what is no dict")
    if not all(type(key) in (str, int) for key in keys):  # nested tuples may take for ever to compare
        raise RefusedError("its pickle has keys that are neither text nor whole numbers")
    target.update(zip(keys, values, strict=True))


def _numpy_scalar(dtype: Any, data: Any) -> Any:
    if type(dtype) is not _NumpyDType or type(data) is not bytes:
        raise ValueError("a numpy scalar is not described as numpy does")
    return np.frombuffer(data, dtype.order + dtype.code, count=1)[0]


def _encode(text: Any, encoding: Any) -> bytes:
    """In place of `_codecs.encode`, with which pickle protocol 2 writes the bytes of numpy scalars."""
    if type(text) is not str or len(text) > _MOST_NUMBER_BYTES or encoding != "latin1":
        raise RefusedError("its pickle asks for a codec; only latin1 is admitted, for the bytes of a number")
    return text.encode("latin1")


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _same,
    ("collections", "OrderedDict"): _ordered,
    ("numpy", "dtype"): _NumpyDType,
    ("numpy.core.multiarray", "scalar"): _numpy_scalar,
    ("numpy._core.multiarray", "scalar"): _numpy_scalar,  # numpy 2
    ("_codecs", "encode"): _encode,
}
_TORCH_DTYPES = frozenset(
    ("float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool")
)


# Not the faster C class: that allocates a table of whatever size a damaged memo index demands.
class Unpickler(pickle._Unpickler):
    """An unpickler with the rules above. load_storage: called with dtype, key, count and perhaps a view.

    file: of `pickle_file`; several pickles in it follow each other.
    """

    stack: list[Any]
    pop_mark: Callable[[], list[Any]]
    dispatch: ClassVar[Any] = {code: pickle._Unpickler.dispatch[code] for code in OPCODES}

    def __init__(self, file: io.BytesIO, load_storage: Callable[..., Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self._file, self._load_storage = file, load_storage

    def load(self) -> Any:
        """The object that is pickled. Raises whatever a damaged pickle makes it raise, and RefusedError."""
        try:
            return super().load()
        except Exception:
            if self._file.tell() == MAX_PICKLE_BYTES:
                raise RefusedError(f"its pickle is longer than {MAX_PICKLE_BYTES} bytes") from None
            raise

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _FUNCTIONS:
            return _Function(_FUNCTIONS[module, name])
        if module == "torch" and name.removesuffix("Storage") in DTYPES and name.endswith("Storage"):
            return _StorageType(DTYPES[name.removesuffix("Storage")])
        if module == "torch" and name in _TORCH_DTYPES:
            return name
        raise RefusedError(
            f"its pickle asks for {ascii(f'{module:.80}.{name:.80}')[1:-1]}; a checkpoint may hold tensors, "
            "numbers and text only, and nothing in it was run. Take one from a source that you trust"
        )

    def persistent_load(self, pid: Any) -> Storage:
        if type(pid) is not tuple or not 5 <= len(pid) <= 6 or pid[0] != "storage":
            raise ValueError("a storage is not described as torch does")
        storage_type, key, _location, count, *view = pid[1:]
        if type(storage_type) is not _StorageType or type(key) is not str or type(count) is not int:
            raise ValueError("a storage is not described as torch does")
        return self._load_storage(storage_type.dtype, key, count, *view)

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if type(function) is not _Function or type(arguments) is not tuple:
            raise RefusedError("its pickle calls what is no function")
        self.stack[-1] = function.run(*arguments)

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is _NumpyDType:
            if type(state) is tuple and len(state) > 1 and state[1] in ("<", ">"):
                target.order = state[1]
        elif type(target) is not _Dict:
            raise RefusedError("its pickle sets the state of an object, which no checkpoint needs")

    dispatch[pickle.BUILD[0]] = load_build

    def load_append(self) -> None:
        value = self.stack.pop()
        self._list().append(value)

    dispatch[pickle.APPEND[0]] = load_append

    def load_appends(self) -> None:
        values = self.pop_mark()
        self._list().extend(values)

    dispatch[pickle.APPENDS[0]] = load_appends

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._fill([key, value])

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        self._fill(self.pop_mark())

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def _list(self) -> list[Any]:
        if type(self.stack[-1]) is not list:
            raise RefusedError("its pickle appends to what is no list")
        return self.stack[-1]

    def _fill(self, pairs: list[Any]) -> None:
        _fill(self.stack[-1], pairs[::2], pairs[1::2])


def pickle_file(buffer: Buffer) -> io.BytesIO:
    """The beginning of a mapped file, as much as its pickles may have, to be read opcode by opcode."""
    return io.BytesIO(buffer[:MAX_PICKLE_BYTES].tobytes())
