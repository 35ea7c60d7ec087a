"""Seconds of audio that were asked for and are not made yet: how many there may be, and how soon fewer."""

import math
import time
from collections.abc import Callable

LEAST_S = 1.0  # that any text counts
MEMORY_S = 120.0  # what was measured this long ago counts a third
GAP_S = 10.0  # steps that are further apart have idle time between them


class FullError(Exception):
    """There is no room now; after_s: how long it will take."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"no room for {after_s:.1f} s")
        self.after_s = after_s


class Ticket:
    """A place in the queue: seconds that are expected, and those that are made."""

    def __init__(self, queue: "Queue", expected_s: float) -> None:
        self._queue = queue
        self._expected_s = expected_s
        self._made_s = 0.0

    @property
    def left_s(self) -> float:
        """Seconds that are not made yet, about."""
        return max(0.0, self._expected_s - self._made_s)

    def move(self, part: str, seconds: float) -> None:
        """A stage has moved on; called by the thread that does the work."""
        self._queue.rate.move(part, seconds)
        if part == "codec":
            self._made_s += seconds

    def leave(self) -> None:
        """It is made, or wanted no more. Leaving twice is harmless."""
        self._queue.tickets.pop(self, None)


class Rate:
    """Seconds of audio that are made in a second of work, of late."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last = now()
        self._worked_s = 0.0
        self._made_s = 0.0

    def move(self, part: str, seconds: float) -> None:
        """A stage has moved on by some seconds of audio; the codec's are done."""
        now = self._now()
        passed_s, self._last = min(now - self._last, GAP_S), now
        fading = math.exp(-passed_s / MEMORY_S)
        self._worked_s = self._worked_s * fading + passed_s
        self._made_s = self._made_s * fading + (seconds if part == "codec" else 0.0)

    @property
    def value(self) -> float:
        """1, as if it were made as fast as it is heard, until something was measured."""
        return self._made_s / self._worked_s if self._made_s > 0 and self._worked_s > 0 else 1.0


class Queue:
    """Requests under way, in the order in which they came, and a bound on their seconds.

    What comes into an empty queue is always taken in, however long it is. Used by one thread, but for
    `Ticket.move`.
    """

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self.rate = Rate()
        self.tickets: dict[Ticket, None] = {}

    def __len__(self) -> int:
        return len(self.tickets)

    @property
    def seconds(self) -> float:
        """Seconds of audio that are not made yet, about."""
        return sum(ticket.left_s for ticket in self.tickets)

    def enter(self, expected_s: float) -> Ticket:
        """A place for so many seconds. Raises FullError."""
        expected_s = max(LEAST_S, expected_s)
        over_s = self.seconds + expected_s - self._most_s
        if self.tickets and over_s > 0:
            raise FullError(min(over_s, self.seconds) / self.rate.value)
        ticket = Ticket(self, expected_s)
        self.tickets[ticket] = None
        return ticket
