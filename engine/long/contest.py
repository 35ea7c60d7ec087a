"""One text's takes side by side: each is listened to, and the best is kept."""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import InvalidStateError
from contextlib import suppress
from dataclasses import replace
from typing import Any

from alrakis.flight.journey import Manner
from alrakis.flight.sequence import Caller, Handle
from alrakis.listening.listener import Listener
from alrakis.listening.score import ScoredTake, take_seed
from alrakis.pipeline import Pipeline
from alrakis.result import Result

Begin = Callable[[Manner], Handle[Result]]


def said_best(
    pipeline: Pipeline, text: str, manner: Manner, caller: Caller, language: str, **further: Any
) -> Handle[Result]:
    """`Pipeline.said`, but the best of as many takes as the options ask for. further: as there.

    Take k, from 0, has the seed that `take_seed` gives. With `until` takes are made one after the other, up
    to the first whose error is no more than that.
    """
    if manner.options.takes == 1:
        return pipeline.said(text, manner, caller, **further)
    pipeline.listener.check(language)
    further.pop("known", None)  # what stages have made is of one take

    def begin(own: Manner) -> Handle[Result]:
        return pipeline.said(text, own, caller, **further)

    return _Contest(begin, manner, pipeline.listener, language).start()


class _Contest:
    def __init__(self, begin: Begin, manner: Manner, listener: Listener, language: str) -> None:
        self._begin = begin
        self._manner = manner
        self._listener = listener
        self._language = language
        self._handle: Handle[Result] = Handle()
        self._lock = threading.Lock()
        self._under_way: dict[int, Handle[Result]] = {}
        self._heard: dict[int, tuple[Result, ScoredTake]] = {}

    def start(self) -> Handle[Result]:
        options = self._manner.options
        try:
            for take in range(1 if options.until is not None else options.takes):
                self._start(take)
        except BaseException:
            self._stop()
            raise
        self._handle.add_done_callback(lambda handle: self._stop())
        return self._handle

    def _start(self, take: int) -> None:
        handle = self._begin(replace(self._manner, seed=take_seed(self._manner.seed, take)))
        with self._lock:
            self._under_way[take] = handle
        handle.add_done_callback(functools.partial(self._made, take))
        if self._handle.done():  # given up this moment
            handle.cancel()

    def _made(self, take: int, handle: Any) -> None:
        """A take is over; it is listened to in a thread of its own, so that the others go on.

        The thread is not a daemon: ended by the interpreter within compiled code, it would abort the process.
        """
        if handle.cancelled():
            self._handle.cancel()
            return
        threading.Thread(target=self._hear, args=(take, handle), name=f"alrakis-listener-{take}").start()

    def _hear(self, take: int, handle: Handle[Result]) -> None:
        try:
            result = handle.result()
            score = self._listener.score(result, self._language)
            with self._lock:
                self._heard[take] = result, ScoredTake(result.seed, score)
                count = len(self._heard)
            options = self._manner.options
            if count == options.takes or (options.until is not None and score.error <= options.until):
                self._finish()
            elif options.until is not None and not self._handle.done():
                self._start(take + 1)
        except BaseException as error:  # it belongs to whoever waits
            with suppress(InvalidStateError):
                self._handle.set_exception(error)

    def _finish(self) -> None:
        scored = [own for _, (_, own) in sorted(self._heard.items())]
        best, _ = min(self._heard.items(), key=lambda item: (item[1][1].score.error, item[0]))
        with suppress(InvalidStateError):
            self._handle.set_result(replace(self._heard[best][0], takes=tuple(scored)))

    def _stop(self) -> None:
        with self._lock:
            handles = list(self._under_way.values())
        for handle in handles:
            handle.cancel()
