"""The cache folder, writing files so that nobody ever sees an unfinished one, and reading `.npy` data."""

import contextlib
import hashlib
import io
import math
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from alrakis.errors import OutputError
from alrakis.places.folders import own_cache


def cache_folder() -> Path:
    """The folder for files that can be made again: `$ALRAKIS_CACHE`, or the user's cache folder."""
    return own_cache()


def check_writable(path: str | os.PathLike[str]) -> Path:
    """The absolute path, links followed, if a file can be written there; the trial leaves nothing behind.

    Raises OutputError if the folder is missing or not writable, or the path is not that of an ordinary file.
    """
    target = _target(path)
    trial = _beside(target, "trial")  # permission bits do not show a read-only disk
    try:
        with open(trial, "ab"):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another place") from None
    finally:
        _remove(trial)
    return target


def replace_file(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write `data` to a temporary file in the same folder, then rename it: the file is complete or unchanged.

    Permissions follow the umask. Raises OutputError. The temporary file is removed in any case.
    """
    target = _target(path)
    temporary = target.with_name(f".alrakis-{secrets.token_hex(6)}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # some disks report only here that they are full
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"cannot write {path} ({len(data) / 1e6:.1f} MB): {error.strerror}; nothing was changed there"
        ) from None
    finally:
        _remove(temporary)
    return target


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """The path of a temporary file, to be written in the block; at its end it is renamed to `path`.

    The temporary name depends on the target's name alone, so that a file left by a killed process is
    overwritten. Raises OutputError. The temporary file is removed in any case.
    """
    target = _target(path)
    temporary = _beside(target, "part")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; nothing was changed there") from None
    finally:
        _remove(temporary)


def remove_temporary(folder: Path) -> None:
    """Remove temporary files of killed processes; no other process may be writing into the folder."""
    for path in folder.glob(".alrakis-*.part"):
        _remove(path)


def read_npy(data: bytes) -> npt.NDArray[Any]:
    """The array in the bytes of an `.npy` file. Raises ValueError if they do not fit the header."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"it is of version {version[0]}.{version[1]} of the format, which is not read")
    read_header = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    shape, fortran_order, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("it holds pickled objects, which could run code; save plain integer arrays instead")
    rest = memoryview(data)[file.tell() :]
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise ValueError(f"it has {len(rest)} bytes, which are not {dtype} of shape {shape!s:.80}")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran_order else "C")


def _target(path: str | os.PathLike[str]) -> Path:
    """The absolute path, links followed. Raises OutputError if it is not that of a writable ordinary file."""
    try:
        target = Path(os.path.realpath(os.fspath(path)))
        mode = os.stat(target).st_mode
        if stat.S_ISREG(mode):
            with open(target, "ab"):  # a rename would replace even a write-protected file
                return target
    except FileNotFoundError:
        if target.parent.is_dir():
            return target
        raise OutputError(
            f"there is no folder {target.parent} to write {target.name} in; make it first"
        ) from None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another place") from None
    except (TypeError, ValueError) as error:
        raise OutputError(f"{path!r} is not a file name that can be used: {error}") from None
    kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
    raise OutputError(f"{target} is {kind}; give the name of an ordinary file")


def _beside(target: Path, what: str) -> Path:
    """A temporary file beside the target, always the same: killed processes leave at most one.

    Its name holds a hash of the target's name, which itself may already have the greatest length allowed.
    """
    digest = hashlib.blake2b(os.fsencode(target.name), digest_size=6).hexdigest()
    return target.with_name(f".alrakis-{digest}.{what}")


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
