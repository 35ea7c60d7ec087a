"""What one call has spent, by stage, and a word after each step with whoever wants to know."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alrakis.result import Timings

OnMove = Callable[[str, float], None]  # stage, seconds of audio that it has moved on by; may raise to stop


def _nothing(part: str, seconds: float) -> None:
    pass


class Clock:
    """Seconds spent, by stage.

    on_move: called after every step of a stage with the stage's name and the seconds of audio that were
    done. What it raises ends the call there and then.
    """

    def __init__(self, on_move: OnMove = _nothing) -> None:
        self._seconds: dict[str, float] = {}
        self.on_move = on_move

    @contextmanager
    def time(self, what: str) -> Iterator[None]:
        """Add the time until the end of the block to a stage's."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[what] = self._seconds.get(what, 0.0) + time.perf_counter() - began

    def timings(self) -> Timings:
        return Timings(**{f"{what}_s": seconds for what, seconds in self._seconds.items()})
