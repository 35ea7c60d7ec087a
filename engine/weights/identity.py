"""One name for equal parameters: a hash over the arrays, kept by file so that gigabytes are hashed once."""

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
    """Works out, when called, the identity of arrays that were read from these files.

    what: all that makes a difference and is not in the arrays, as the number of heads.
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
    except (OSError, ValueError):  # no memory yet, or a damaged one: what is in it can be worked out again
        return {}
    return known if isinstance(known, dict) else {}


def _remember(known: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time only
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".tmp", delete=False) as file:
            json.dump(known, file, indent=1)
        os.replace(file.name, folder / _FILE)
