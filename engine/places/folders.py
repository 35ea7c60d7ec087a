"""What the environment says of folders: the home folder, caches. Read whenever it is asked for.

A variable counts as it is now, not as it was at an import, and an empty one counts as none. A process may
have no home folder at all (a container's user, a service's account), or one that is not there and cannot be
made: then caches are in the system's folder for temporary files. Nothing here raises.
"""

import contextlib
import functools
import os
import stat
import sys
import tempfile
from pathlib import Path


def variable(name: str) -> str | None:
    """The value of an environment variable; None if it is not set, empty, or only white space."""
    value = os.environ.get(name, "")
    return value if value.strip() else None


def folder_variable(name: str) -> Path | None:
    """The folder that a variable names, `~` expanded where that can be; None if it names none."""
    value = variable(name)
    return None if value is None else expanded(value)


def expanded(path: "str | os.PathLike[str]") -> Path:
    """A path with `~` expanded; as it stands where there is no such home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def home() -> Path | None:
    """The home folder of this process; None if the system knows none."""
    try:
        folder = folder_variable("HOME") if os.name == "posix" else Path.home()
        if folder is None:
            import pwd  # not on Windows

            folder = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except (RuntimeError, KeyError, OSError):
        return None
    return folder if folder.is_absolute() else None


def user_cache() -> Path:
    """The folder of all programs' caches: `$XDG_CACHE_HOME`, `~/.cache`, or a temporary one."""
    named, own = folder_variable("XDG_CACHE_HOME"), home()
    if named is not None:
        return named
    return own / ".cache" if own and can_be_made(own / ".cache") else temporary_cache()


def own_cache() -> Path:
    """alrakis' cache: `$ALRAKIS_CACHE`, its folder in the system's folder of caches, or a temporary one."""
    named = folder_variable("ALRAKIS_CACHE")
    if named is not None:
        return named
    if sys.platform in ("darwin", "win32"):
        import platformdirs

        with contextlib.suppress(RuntimeError):  # there is no home folder
            usual = expanded(platformdirs.user_cache_dir("alrakis"))
            if can_be_made(usual):
                return usual
    return user_cache() / "alrakis"


def hub_cache() -> Path:
    """Where the model hub's client keeps files, by its own variables as they are now."""
    named = folder_variable("HF_HUB_CACHE") or folder_variable("HUGGINGFACE_HUB_CACHE")
    return named or (folder_variable("HF_HOME") or user_cache() / "huggingface") / "hub"


def temporary_cache() -> Path:
    """A folder among the temporary files that is this account's own, and stays until the system clears it."""
    account = os.getuid() if hasattr(os, "getuid") else "cache"
    folder = Path(tempfile.gettempdir(), f"alrakis-{account}")
    return folder if _only_ours(folder) else _fresh_folder()


@functools.cache
def _fresh_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="alrakis-"))


def _only_ours(folder: Path) -> bool:
    """Whether a folder, made if need be, can be written by nobody else: its name could be known to others."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    ours = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)
    return stat.S_ISDIR(found.st_mode) and ours


def can_be_made(folder: Path) -> bool:
    """Whether a folder is there, or those above it allow it to be made."""
    try:
        if folder.is_dir():
            return True
        above = next(path for path in folder.absolute().parents if path.exists())
    except (OSError, StopIteration):
        return False
    return above.is_dir() and os.access(above, os.W_OK | os.X_OK)
