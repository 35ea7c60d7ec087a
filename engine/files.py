"""Writing a file so that nobody ever sees half of it."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from alrakis.errors import OutputError


def check_writable(path: str | os.PathLike[str]) -> Path:
    """The absolute path, links followed, if a file can be written there; nothing is left behind.

    Raises OutputError for a missing or unwritable folder, and for what is no ordinary file.
    """
    try:
        target = Path(os.path.realpath(os.fspath(path)))
        _check_target(target)
        trial = _beside(target)  # permission bits do not tell of a read-only disk
        with open(trial, "xb"):
            pass
        trial.unlink()
    except (TypeError, ValueError) as error:
        raise OutputError(f"{path!r} is not a file name that can be used: {error}") from None
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another place") from None
    return target


def _check_target(target: Path) -> None:
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise OutputError(
                f"there is no folder {target.parent} to write {target.name} in; make it first"
            ) from None
        return
    if stat.S_ISDIR(mode):
        raise OutputError(f"{target} is a folder; give the name of a file in it")
    if not stat.S_ISREG(mode):
        raise OutputError(f"{target} is a device or a pipe; give the name of an ordinary file")
    if not os.access(target, os.W_OK):
        raise OutputError(f"{target} is write-protected; unlock it or give another name")


def replace_file(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write `data` under a temporary name in the same folder, then give it its name: all or nothing.

    Permissions are the umask's. Raises OutputError; whatever happens, no temporary file stays.
    """
    target = check_writable(path)
    temporary = _beside(target)
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # some disks report only now that they are full
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if not isinstance(error, OSError):
            raise
        raise OutputError(
            f"cannot write {path} ({len(data) / 1e6:.1f} MB): {error.strerror}; nothing was changed there"
        ) from None
    return target


def _beside(target: Path) -> Path:
    """A temporary name in the target's folder; not made from its name, which may be as long as allowed."""
    return target.with_name(f".alrakis-{secrets.token_hex(6)}.part")
