"""Writing files so that nobody ever sees an unfinished one, and nothing else is touched.

A file is written under a temporary name beside its place, and renamed when all of it is on the disk. The
temporary name cannot be guessed, the file is new, only its owner can read it, and no link is followed to it.
It is locked while it is written, so that what a killed process left can be told from what is at work.
"""

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from alrakis.errors import InputError, OutputError
from alrakis.places.given import given_path

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed
    LOCKS = False
else:
    LOCKS = True

_PATIENCE_S = 1.0  # for a folder's lock: whoever can read a folder can hold it
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_LOOK = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

Stamp = tuple[int, int, int] | None  # of a file: inode, time of change, size; None where there is none


def check_writable(path: str | os.PathLike[str]) -> Path:
    """The absolute path, links followed, if a file can be written there; the trial leaves nothing behind.

    Raises OutputError if the folder is missing or not writable, or the path is not that of an ordinary file.
    """
    target = _target(path)
    try:
        with _temporary(target):  # permission bits do not show a read-only disk
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another place") from None
    return target


def replace_file(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write `data` as `replacing` does. Raises OutputError."""
    with replacing(path) as file:
        file.write(data)
    return real_path(path)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file, to be written in the block; at its end it takes the place of `path`, with its permissions.

    Raises OutputError if that fails, or if another has written `path` since the block began. Then, and after
    any error in the block, nothing has changed and nothing is left.
    """
    target = _target(path)
    before = file_stamp(target)
    try:
        with _temporary(target) as (temporary, file):
            yield file
            file.flush()
            os.chmod(temporary, _mode(target))
            os.fsync(file.fileno())  # some disks report only here that they are full
            if not LOCKS:
                file.close()
            _rename(temporary, target, before)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; nothing was changed there") from None


def file_stamp(path: str | os.PathLike[str]) -> Stamp:
    """What tells a file from one that was written later."""
    try:
        return _stamp(os.stat(real_path(path)))
    except (OSError, InputError):
        return None


def check_unwritten(path: str | os.PathLike[str], before: Stamp) -> None:
    """Raises OutputError if somebody has written a file since its stamp was taken."""
    if file_stamp(path) not in (None, before):
        raise OutputError(f"another process has written {path} meanwhile; it is left as that one made it")


def remove_temporary(folder: Path) -> None:
    """Remove temporary files of killed processes; those that are being written stay."""
    for path in folder.glob(".alrakis-*.part"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, _LOOK)
            try:
                _lock(descriptor)
                path.unlink()
            finally:
                os.close(descriptor)


def real_path(path: str | os.PathLike[str]) -> Path:
    """The absolute path, links followed, that somebody gave. Raises InputError if it can be none."""
    return Path(os.path.realpath(given_path(path)))


def _target(path: str | os.PathLike[str]) -> Path:
    """The absolute path, links followed. Raises OutputError if it is not that of a writable ordinary file."""
    try:
        target = real_path(path)
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
    except InputError as error:
        raise OutputError(str(error)) from None
    except (TypeError, ValueError) as error:
        raise OutputError(f"{path!r} is not a file name that can be used: {error}") from None
    kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
    raise OutputError(f"{target} is {kind}; give the name of an ordinary file")


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file beside the target, locked; it is removed at the end, if it was not renamed."""
    while True:
        path = target.with_name(f".alrakis-{secrets.token_hex(8)}.part")
        with open(os.open(path, _NEW, 0o600), "wb+") as file:
            try:
                if _is_locked(path, file):
                    yield path, file
                    return
            finally:
                _remove(path)


def _is_locked(path: Path, file: BinaryIO) -> bool:
    """Lock a new file; False if another process took it for one that was left, and removed it before."""
    with contextlib.suppress(OSError):  # some network disks have no locks
        _lock(file.fileno(), wait=True)
    return not LOCKS or file_stamp(path) == _stamp(os.fstat(file.fileno()))


def _rename(temporary: Path, target: Path, before: Stamp) -> None:
    """Give a file its name, unless another has written there."""
    with _locked_folder(target.parent) as descriptor:
        check_unwritten(target, before)
        os.replace(temporary, target)
        if descriptor is not None:
            os.fsync(descriptor)  # the name, too, is on the disk


@contextlib.contextmanager
def _locked_folder(folder: Path) -> Iterator[int | None]:
    """Hold a folder's lock, for the moment between a look and a rename; None where that cannot be."""
    try:
        descriptor = os.open(folder, os.O_RDONLY) if LOCKS else None
    except OSError:  # such as a folder that may be written in and not read
        descriptor = None
    if descriptor is None:
        yield None
        return
    try:
        ends = time.monotonic() + _PATIENCE_S
        while time.monotonic() < ends:
            try:
                _lock(descriptor)
                break
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                break
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, wait: bool = False) -> None:
    """Lock an open file or folder; closing it unlocks it. Raises OSError, BlockingIOError if it is locked."""
    if LOCKS:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _mode(target: Path) -> int:
    """The permissions of the file that is there, else those that the umask leaves a new one."""
    try:
        return stat.S_IMODE(os.stat(target).st_mode) & 0o777
    except OSError:
        mask = os.umask(0o077)  # to ask is to set it: a file that another thread makes now is private
        os.umask(mask)
        return 0o666 & ~mask


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
