"""Running `alrakis-bench`."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Ended:
    """What the program left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Bench = Callable[..., Ended]
