"""Codec decodes of sequences in flight: several at once, where a backend gains by it."""

from typing import Any

import numpy as np

from alrakis.backends.protocols import Codec
from alrakis.flight.sequence import Sequence
from alrakis.sampling import FloatArray, IntArray
from alrakis.stages.asks import Decode

SHORTEST = 8  # frames; the codec mirrors its first ones to the left, and less than 7 are no mirror
ALIKE = 0.75  # of the longest: so much of a batch is no padding, at least


def together(moving: list[Sequence[Any]], rows: int) -> list[Sequence[Any]]:
    """The first of these, and others with codes about as long, up to `rows`."""
    found = moving[:1]
    for other in moving[1:]:
        lengths = [_length(sequence) for sequence in (*found, other)]
        if len(found) < rows and min(lengths) >= max(SHORTEST, ALIKE * max(lengths)):
            found.append(other)
    return found


def decode(codec: Codec, moving: list[Sequence[Any]]) -> list[FloatArray]:
    """Samples of each, `(320 * T,)`. The codec looks back only: padding behind a row changes nothing."""
    if not all(map(_length, moving)):
        raise TypeError("what is decoded are codes (8, T)")
    longest = max(map(_length, moving))
    codes = np.zeros((len(moving), _codes(moving[0]).shape[0], longest), np.int64)
    for row, sequence in zip(codes, moving, strict=True):
        row[:, : _length(sequence)] = _codes(sequence)
    samples = codec.decode(codes)
    each = samples.shape[1] // longest
    return [row[: each * _length(one)] for row, one in zip(samples, moving, strict=True)]


def _length(sequence: Sequence[Any]) -> int:
    """Its frames; 0 for what are no codes, which goes wrong by itself."""
    codes = _codes(sequence)
    return codes.shape[1] if isinstance(codes, np.ndarray) and codes.ndim == 2 else 0


def _codes(sequence: Sequence[Any]) -> IntArray:
    if not isinstance(sequence.ask, Decode):
        raise TypeError(f"{sequence.ask!r} is no codec decode")
    return sequence.ask.codes
