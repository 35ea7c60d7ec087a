"""The seconds that a call spends, by stage, and the clock that adds them up."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass

OnMove = Callable[[str, float], None]  # stage, seconds of audio that it has moved on by; may raise to stop


def _nothing(part: str, seconds: float) -> None:
    pass


@dataclass(frozen=True, repr=False)
class Timings:
    """Wall seconds of one call, by stage; texts of one batch share them. Loading is apart."""

    load_s: float = 0.0
    text_s: float = 0.0
    coarse_s: float = 0.0
    fine_s: float = 0.0
    codec_s: float = 0.0

    def __repr__(self) -> str:
        parts = (f"{name.removesuffix('_s')} {seconds:.2f}" for name, seconds in asdict(self).items())
        return f"<Timings in s: {', '.join(parts)}>"

    @property
    def total_s(self) -> float:
        return self.load_s + self.text_s + self.coarse_s + self.fine_s + self.codec_s

    def __add__(self, other: "Timings") -> "Timings":
        """Both, stage by stage."""
        return Timings(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


class Clock:
    """Seconds spent, by stage.

    on_move: called after every step of a stage with the stage's name and the seconds of audio that were
    done. What it raises ends the call there and then.
    """

    def __init__(self, on_move: OnMove | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.on_move = on_move or _nothing

    @contextmanager
    def time(self, what: str) -> Iterator[None]:
        """Add the time until the end of the block to a stage's."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(what, time.perf_counter() - began)

    def add(self, what: str, seconds: float) -> None:
        """Add to the time of a stage."""
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds

    def timings(self) -> Timings:
        return Timings(**{f"{what}_s": seconds for what, seconds in self.seconds.items()})
