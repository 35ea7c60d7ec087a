"""What was computed from files, remembered until they change; hashing is the costly part of a start.

A file is the same while its device, inode, size, time of change and time of its inode's change are. No
program can set the last of these: a file that was replaced or written to is seen, whatever else it imitates.
Bits that a bad disk turns are not; only reading the file shows those.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from alrakis.files.parsing import MOST_KEYS, read_json
from alrakis.files.writing import remove_temporary, replace_file
from alrakis.places.folders import own_cache

_FILE = "identities.json"
_MOST = 2000  # entries; the oldest go
_TICK_S = 0.05  # clocks of file systems are coarse: within one, a file may change again without a new time

Stamp = tuple[str, int, int, int, int, int]  # path, device, inode, size, times of its change and its inode's

_TABLE = TypeAdapter(dict[str, str])


def stamps_of(paths: Iterable[Path]) -> list[Stamp]:
    """What tells these files from what they may be later: to be taken before they are read."""
    stamps = [_stamp(path) for path in paths]
    if any(abs(time.time() - stamp[-1] / 1e9) < _TICK_S for stamp in stamps):
        time.sleep(_TICK_S)  # whatever changes a file from now on changes its times too
    return stamps


def remembered(what: str, stamps: list[Stamp], compute: Callable[[], str]) -> str:
    """What `compute` returns for files of these stamps; from memory if it was there before."""
    key = json.dumps([what, *stamps])
    known = _known()
    if key in known:
        return known[key]
    value = compute()
    try:
        unchanged = stamps == [_stamp(Path(stamp[0])) for stamp in stamps]
    except OSError:
        unchanged = False
    if unchanged:
        _remember({**_known(), key: value})
    return value


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    times = found.st_mtime_ns, found.st_ctime_ns
    return str(path.resolve()), found.st_dev, found.st_ino, found.st_size, *times


def _known() -> dict[str, str]:
    try:
        return _TABLE.validate_python(read_json(own_cache() / _FILE, most_keys=MOST_KEYS), strict=True)
    except (OSError, ValueError, ValidationError):  # missing or damaged: it is computed again
        return {}


def _remember(known: dict[str, str]) -> None:
    with contextlib.suppress(OSError, ValueError):  # without the cache, it is computed each time
        folder = own_cache()
        folder.mkdir(parents=True, exist_ok=True)
        remove_temporary(folder)
        kept = dict(list(known.items())[-_MOST:])
        replace_file(folder / _FILE, json.dumps(kept, indent=1).encode())
