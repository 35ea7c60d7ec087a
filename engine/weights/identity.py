"""Identities of parameters: hashes of arrays, remembered for each file so that it is hashed only once."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from alrakis.files.memo import remembered, stamps_of
from alrakis.weights.types import Arrays


def identity_of(what: str, arrays: Arrays, files: Iterable[Path]) -> Callable[[], str]:
    """A function that returns the identity of arrays that were read from these files.

    what: whatever else tells two models apart, such as the number of heads.
    """
    stamps = stamps_of(files)
    return lambda: remembered(what, stamps, lambda: _hash(what, arrays))


def _hash(what: str, arrays: Arrays) -> str:
    digest = hashlib.sha256(what.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"\n{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
