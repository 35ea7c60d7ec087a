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
    target = _target(path)
    trial = _beside(target)  # permission bits do not tell of a read-only disk
    try:
        with open(trial, "xb"):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}; choose another place") from None
    finally:
        _remove(trial)
    return target


def replace_file(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write `data` under a temporary name in the same folder, then give it its name: all or nothing.

    Permissions are the umask's. Raises OutputError; whatever happens, no temporary file stays.
    """
    target = _target(path)
    temporary = _beside(target)
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # some disks report only now that they are full
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"cannot write {path} ({len(data) / 1e6:.1f} MB): {error.strerror}; nothing was changed there"
        ) from None
    finally:
        _remove(temporary)
    return target


def _target(path: str | os.PathLike[str]) -> Path:
    """The absolute path, links followed. Raises OutputError if what is there cannot be replaced by a file."""
    try:
        target = Path(os.path.realpath(os.fspath(path)))
        mode = os.stat(target).st_mode
        if stat.S_ISREG(mode):
            with open(target, "ab"):  # renaming would replace even a write-protected file
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


def _beside(target: Path) -> Path:
    """A temporary name in the target's folder; not made from its name, which may be as long as allowed."""
    return target.with_name(f".alrakis-{secrets.token_hex(6)}.part")


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
