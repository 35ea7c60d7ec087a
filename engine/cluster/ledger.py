"""Which job goes to which worker, and what becomes of it when the worker ends. Ray is not in it.

A job whose worker ended is a suspect: it may be what ended it. Suspects are done alone, when nothing else
waits; who ends a second worker alone is given up. A node that goes takes no blame to those who were on it.
"""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import InvalidStateError
from contextlib import suppress
from typing import Any

from alrakis.errors import GenerationError
from alrakis.flight.sequence import Handle

MOST_STRIKES = 2  # workers that a job may end
MOST_LOSSES = 5  # nodes that may go while a job is on them


class Task:
    """A job and its handle. strikes: workers that ended while they did it. losses: nodes that went."""

    def __init__(self, job: Any) -> None:
        self.job = job
        self.handle: Handle[Any] = Handle()
        self.strikes = 0
        self.losses = 0

    def done(self, value: Any) -> None:
        """It came to something, or to an exception."""
        with suppress(InvalidStateError):  # nobody wants it any more
            if isinstance(value, BaseException):
                self.handle.set_exception(value)
            else:
                self.handle.set_result(value)


class Desk:
    """What a worker has to do now. depth: how many jobs it does at once."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.tasks: set[Task] = set()


class Ledger:
    """Jobs that wait. Used by one thread, but for `add`."""

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()
        self._suspects: deque[Task] = deque()

    def add(self, task: Task) -> None:
        """A job to be done after those that wait."""
        self._waiting.append(task)

    def next_for(self, desk: Desk) -> Task | None:
        """A job for a worker, which has it from now on; None if it has enough, or nothing waits for it."""
        if len(desk.tasks) >= desk.depth or any(task.strikes for task in desk.tasks):
            return None
        task = _first_wanted(self._waiting)
        if task is None and not desk.tasks:
            task = _first_wanted(self._suspects)
        if task is not None:
            desk.tasks.add(task)
        return task

    def ended(self, desk: Desk, reason: str) -> None:
        """A worker has ended by itself: each of its jobs may be the cause."""
        for task in _taken(desk):
            self._strike(task, reason)

    def failed(self, desk: Desk, task: Task, reason: str) -> None:
        """A job went wrong in a way that is no job's fault: another worker tries it, alone."""
        desk.tasks.discard(task)
        self._strike(task, reason)

    def lost(self, desk: Desk) -> None:
        """A worker went without a fault of its own: its jobs wait again, before the others."""
        for task in _taken(desk):
            task.losses += 1
            if task.losses > MOST_LOSSES:
                task.done(GenerationError(f"{task.losses} machines went while they said it"))
            elif task.strikes:
                self._suspects.append(task)
            else:
                self._waiting.appendleft(task)

    def _strike(self, task: Task, reason: str) -> None:
        task.strikes += 1
        if task.strikes < MOST_STRIKES:
            self._suspects.append(task)
        else:
            task.done(
                GenerationError(f"{task.strikes} workers failed while they said it; the last: {reason}")
            )

    def give_up(self, desks: Iterable[Desk], error: BaseException) -> None:
        """End all jobs with an error."""
        held = [task for desk in desks for task in _taken(desk)]
        while self._waiting:
            held.append(self._waiting.popleft())
        for task in [*held, *self._suspects]:
            task.done(error)
        self._suspects.clear()


def _first_wanted(tasks: "deque[Task]") -> Task | None:
    while tasks:
        task = tasks.popleft()
        if not task.handle.cancelled():
            return task
    return None


def _taken(desk: Desk) -> list[Task]:
    tasks, desk.tasks = list(desk.tasks), set()
    return tasks
