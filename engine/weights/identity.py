"""Identities of parameters: hashes of arrays, remembered for each file so that it is hashed only once."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.files import cache_folder
from alrakis.weights.types import Arrays

_FILE = "identities.json"


def identity_of(what: str, arrays: Arrays, files: Iterable[Path]) -> Callable[[], str]:
    """A function that returns the identity of arrays that were read from these files.

    what: whatever else tells two models apart, such as the number of heads.
    """
    key = json.dumps([what, *map(_stamp, files)])

    def identify() -> str:
        known = _known()
        if key not in known:
            known[key] = _hash(what, arrays)
            _remember(known)
        return str(known[key])

    return identify


def _stamp(path: Path) -> list[Any]:
    status = path.stat()
    return [str(path.resolve()), status.st_size, status.st_mtime_ns]


def _hash(what: str, arrays: Arrays) -> str:
    digest = hashlib.sha256(what.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _known() -> dict[str, Any]:
    try:
        known = json.loads((cache_folder() / _FILE).read_text("utf-8"))
    except (OSError, ValueError):  # missing or damaged: the hashes are computed again
        return {}
    return known if isinstance(known, dict) else {}


def _remember(known: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # without the cache, hashing only takes longer
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False) as file:
            json.dump(known, file, indent=1)
        os.replace(file.name, folder / _FILE)
