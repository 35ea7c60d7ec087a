"""One sequence in flight, whoever asked for it, and the handle by which he has it."""

import itertools
from collections.abc import Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any, Generic, TypeVar

from alrakis.flight.origin import Origin
from alrakis.sampling import FloatArray, IntArray
from alrakis.spec import Part
from alrakis.stages.asks import Ask, Run, Steps
from alrakis.timings import Clock, OnMove

Made = TypeVar("Made")

_arrivals = itertools.count()


class Handle(Future[Made]):
    """What is being made: `result()` waits for it, `cancel()` gives it up, `asyncio.wrap_future` awaits it.

    part, seconds: the stage at work, and the seconds of audio that this stage has done. Functions given to
    `add_done_callback` run in the thread that does the work: they should be quick.
    """

    def __init__(self) -> None:
        super().__init__()
        self._origin = Origin()
        self.part: Part | None = None
        self.seconds = 0.0

    def result(self, timeout: float | None = None) -> Made:
        """What was made, when it is. Raises BackendError in a process that was forked."""
        self._origin.check()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What went wrong, when it is over. Raises BackendError as `result` does."""
        self._origin.check()
        return super().exception(timeout)

    def cancel(self) -> bool:
        """Give it up; False if it is made, or is made in a process that this one was forked from."""
        return not self._origin.left and super().cancel()

    def moved(self, part: Part, seconds: float) -> None:
        """A stage has moved on by some seconds of audio."""
        if part != self.part:
            self.part, self.seconds = part, 0.0
        self.seconds += seconds


class Caller:
    """Who asked for some sequences: they share his turns, and tell him of each step.

    urgent: he waits for sound, so his sequences go before those that are not. on_move: is called after every
    step of a stage with its name and the seconds of audio done; what it raises ends the sequence. client: on
    whose behalf he asks; all callers of one client share its turns. None: nobody but himself.
    """

    def __init__(
        self, on_move: OnMove | None = None, *, urgent: bool = True, client: Hashable | None = None
    ) -> None:
        self.on_move = on_move
        self.urgent = urgent
        self.client: Hashable = self if client is None else client


class Sequence(Generic[Made]):
    """A stage's or several stages' steps under way, and what they ask for now.

    clock: gets the time of every step that it is in. What the steps raise before their first ask is raised
    here.
    """

    def __init__(self, steps: Steps[Made], caller: Caller, clock: Clock) -> None:
        self.arrival = next(_arrivals)
        self.caller = caller
        self.clock = clock
        self.handle: Handle[Made] = Handle()
        self.ask: Ask | None = None
        self.entered = False  # whether the prefix of a Run has been run
        self.drawn: list[Any] = []  # of a Run: its tokens, as far as they have been made
        self.done = 0  # how many these are
        self._steps = steps
        self._go(None)

    @property
    def part(self) -> Part | None:
        """Where the sequence is; None when it is over."""
        return self.ask.part if self.ask is not None else None

    @property
    def begins(self) -> bool:
        """Whether a prefix has to be run before its next draw."""
        return isinstance(self.ask, Run) and self.ask.prefix is not None and not self.entered

    def answer(self, made: IntArray | FloatArray) -> None:
        """Give what was asked for, and find out what is needed next."""
        self.drawn, self.done, self.entered = [], 0, False
        self._go(made)

    def moved(self, steps: int) -> None:
        """Tell whoever wants to know that so many steps were done. Raises what he raises."""
        if self.ask is not None:
            seconds = steps * self.ask.seconds
            self.handle.moved(self.ask.part, seconds)
            if self.caller.on_move is not None:
                self.caller.on_move(self.ask.part, seconds)

    def fail(self, error: BaseException) -> None:
        """End it with an error."""
        self.ask = None
        self._steps.close()
        with suppress(InvalidStateError):  # it may have been cancelled this moment
            self.handle.set_exception(error)

    def _go(self, made: IntArray | FloatArray | None) -> None:
        try:
            self.ask = self._steps.send(made) if made is not None else next(self._steps)
        except StopIteration as end:
            self.ask = None
            with suppress(InvalidStateError):
                self.handle.set_result(end.value)
