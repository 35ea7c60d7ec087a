"""Work ahead of whoever takes what is made, in a thread that ends when nobody wants more."""

import threading
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")


class _StoppedError(Exception):
    """Nobody wants what is being made."""


class _End:
    """Stands behind the last item, with what went wrong if anything did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Worker(Generic[Item]):
    def __init__(self, make: Callable[[Callable[[], None]], Iterator[Item]], room: int) -> None:
        self.made: SimpleQueue[Item | _End] = SimpleQueue()
        self.room = threading.Semaphore(room)
        self._make = make
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="alrakis-ahead", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the work at its next step, and wait until it has ended."""
        self._stopped.set()
        self.room.release()
        self._thread.join()

    def check(self) -> None:
        if self._stopped.is_set():
            raise _StoppedError

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._make(self.check):
                self.room.acquire()
                self.check()
                self.made.put(item)
        except _StoppedError:
            pass
        except BaseException as raised:  # told to whoever takes the items, in his own thread
            error = raised
        self.made.put(_End(error))


def ahead(make: Callable[[Callable[[], None]], Iterator[Item]], room: int) -> Generator[Item, None, None]:
    """What an iterator makes, made in another thread, up to `room` items ahead of the taker.

    make: gives the iterator; it gets a function to be called often, which raises when the work is to end.
    Closing the generator ends the work. What the iterator raises is raised here.
    """
    worker = _Worker(make, room)
    worker.start()
    try:
        while True:
            item = worker.made.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            worker.room.release()
            yield item
    finally:
        worker.stop()
