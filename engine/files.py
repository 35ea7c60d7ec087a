"""Where files go, and writing them so that nobody ever sees half of one."""

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from alrakis.errors import OutputError


def cache_folder() -> Path:
    """Where alrakis keeps what it can make again: `$ALRAKIS_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("ALRAKIS_CACHE") or platformdirs.user_cache_dir("alrakis")).expanduser()


def check_writable(path: str | os.PathLike[str]) -> Path:
    """The absolute path, links followed, if a file can be written there; nothing is left behind.

    Raises OutputError for a missing or unwritable folder, and for what is no ordinary file.
    """
    target = _target(path)
    trial = _beside(target, "trial")  # permission bits do not tell of a read-only disk
    try:
        with open(trial, "ab"):
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
    temporary = target.with_name(f".alrakis-{secrets.token_hex(6)}.part")
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


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file's path, to be written in the block; at its end the file gets its name: all or nothing.

    The temporary name is always the same for a name: what a killed process left is used again, not added to.
    Raises OutputError; whatever else happens, no temporary file stays.
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
    """Remove what killed processes have left in a folder that nobody else writes into now."""
    for path in folder.glob(".alrakis-*.part"):
        _remove(path)


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


def _beside(target: Path, what: str) -> Path:
    """A file in the target's folder, for a while: always the same, so that killed processes leave but one.

    It is not made from the target's name, which may be as long as allowed.
    """
    digest = hashlib.blake2b(os.fsencode(target.name), digest_size=6).hexdigest()
    return target.with_name(f".alrakis-{digest}.{what}")


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
