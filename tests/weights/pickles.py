"""Pickles by hand: of tensors, and of what should never run; and the files that they lie in."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def global_(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


STORAGE = (
    b"(X\x07\x00\x00\x00storage"
    + global_("torch", "FloatStorage")
    + b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
)


TENSOR = global_("torch._utils", "_rebuild_tensor_v2")


def hostile_programs(canary: Path) -> dict[str, bytes]:
    """Pickles that would do something; most of them write the file `canary` if they may."""
    touch = f"touch {canary}"
    write = f"open({str(canary)!r}, 'w').close()"
    return {
        "os.system": pickle.dumps({"model": Calls(os.system, touch)}, 2),
        "os.system, protocol 5": pickle.dumps({"model": Calls(os.system, touch)}, 5),
        "posix.system": global_("posix", "system")
        + b"(X"
        + len(touch).to_bytes(4, "little")
        + touch.encode()
        + b"tR.",
        "eval": pickle.dumps(Calls(eval, write), 2),
        "exec": pickle.dumps(Calls(exec, write), 4),
        "INST": b"(S'" + touch.encode() + b"'\nios\nsystem\n.",
        "OBJ": b"(" + global_("os", "system") + b"S'" + touch.encode() + b"'\no.",
        "getattr": pickle.dumps(Calls(getattr, "", "join"), 2),
        "dotted name": b"\x80\x04"
        + short("torch._utils")
        + short("_rebuild_tensor_v2.__globals__")
        + b"\x93.",
        "dotted builtins": b"\x80\x04" + short("collections") + short("abc.sys.modules") + b"\x93.",
        "torch.load": global_("torch", "load") + b".",
        "torch.storage": global_("torch.storage", "_load_from_bytes") + b".",
        "nested pickle": global_("_pickle", "loads") + b".",
        "object array": pickle.dumps(np.array([Calls(os.system, touch)], dtype=object), 2),
        "float array": pickle.dumps(np.zeros(3), 2),
        "object scalar": global_("numpy", "dtype") + b"X\x01\x00\x00\x00O\x89\x88\x87R.",
        "void scalar": global_("numpy", "dtype") + b"X\x02\x00\x00\x00V8\x89\x88\x87R.",
        "another codec": global_("_codecs", "encode") + b"X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
        "state of a function": TENSOR + b"}X\x04\x00\x00\x00_runNsb.",
        "slots of a function": TENSOR + b"N}X\x04\x00\x00\x00_runNs\x86b.",
        "new object": TENSOR + b")\x81.",
        "extension": b"\x82\x01.",
    }


def zip_of(path: Path, program: bytes) -> Path:
    """A file in torch's format, with this pickle and one storage."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", program)
        archive.writestr("x/data/0", np.arange(4, dtype=np.float32).tobytes())
    return path


def legacy_of(path: Path, program: bytes) -> Path:
    """A file in torch's older format."""
    head = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    path.write_bytes(b"".join(pickle.dumps(value, 2) for value in head) + program)
    return path


def tensor_program(
    offset: int, size: tuple[Any, ...], stride: tuple[Any, ...], storage: bytes = STORAGE
) -> bytes:
    """A tensor of a storage of 4 numbers."""

    def counts(values: tuple[Any, ...]) -> bytes:
        body = b"".join(pickle.dumps(value, 2)[2:-1] for value in values)
        return b"(" + body + b"t"

    return (
        TENSOR + b"(" + storage + counts((offset,))[1:-1] + counts(size) + counts(stride) + b"\x89"
        + global_("collections", "OrderedDict") + b")RtR."
    )  # fmt: skip
