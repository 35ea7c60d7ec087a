"""Threads of what is tested: held where a test wants them, so that nothing depends on which comes first."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alrakis.flight.scheduler import Scheduler

WAIT_S = 600.0  # that nothing here takes, however slow or busy the machine is


@contextmanager
def held(
    scheduler: Scheduler,
    *,
    when: Callable[[], bool] = lambda: True,
    until: Callable[[], bool] = lambda: False,
) -> Iterator[threading.Event]:
    """The scheduler's worker stands still as soon as `when`, till the block ends or `until`.

    It stands between two turns, and takes nothing in. Yields an event that is set once it stands.
    """
    over, stands = threading.Event(), threading.Event()
    turn = scheduler._turn

    def waits() -> None:
        if not over.is_set() and when():
            stands.set()
            while not over.is_set() and not until():
                time.sleep(0.001)
        turn()

    scheduler._turn = waits  # type: ignore[method-assign]
    try:
        yield stands
    finally:
        scheduler._turn = turn  # type: ignore[method-assign]
        over.set()


def no_worker_stays() -> bool:
    """Whether the threads of all schedulers end; one that has nothing left to do is about to."""
    workers = [thread for thread in threading.enumerate() if thread.name == "alrakis"]
    for worker in workers:
        worker.join(WAIT_S)
    return not any(worker.is_alive() for worker in workers)
