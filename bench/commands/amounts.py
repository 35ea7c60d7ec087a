"""Times and sizes as a person gives them to a command."""

import re

from alrakis.errors import InputError

_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600}
_UNITS_BYTES = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}
_MOST_S = 7 * 24 * 3600
_MOST_BYTES = 1 << 50


def read_time(option: str, text: str) -> float:
    """Seconds from text like `90`, `90s`, `5m` or `1.5h`. Raises InputError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip(), re.ASCII)
    seconds = float(found[1]) * _UNITS_S[found[2]] if found else 0.0
    if not 0 < seconds <= _MOST_S:
        raise InputError(f"{option} takes a time like 90s, 5m or 1h, a week at most, not {text!r:.80}")
    return seconds


def read_size(option: str, text: str) -> int:
    """Bytes from text like `800MB` or `1.5GiB`. Raises InputError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([MG]i?B)", text.strip(), re.ASCII)
    size = float(found[1]) * _UNITS_BYTES[found[2]] if found else 0.0
    if not 1 <= size <= _MOST_BYTES:
        raise InputError(f"{option} takes a size like 800MB, 2GB or 2GiB, not {text!r:.80}")
    return int(size)
