"""A pipeline that makes a text only when a test says so."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from alrakis import Config
from alrakis.errors import BackendError, GenerationError, InputError
from alrakis.flight.journey import Known, Manner
from alrakis.flight.sequence import Caller, Handle
from alrakis.long.takes import Take
from alrakis.result import Result
from alrakis.timings import Timings

SILENT, UNSAYABLE, BROKEN = "-!?"  # what is in a text that is silent, is refused, or fails on the way


class Desk:
    """What was asked for, by a text's number; each text is said once at most.

    closed: what is asked for is refused, as by an engine that was closed.
    """

    def __init__(self, max_batch: int) -> None:
        self.config = Config(backend="torch", max_batch=max_batch, trim_silence_db=0.0)
        self.closed = False
        self.begun: list[int] = []
        self.voices: dict[int, str | None] = {}
        self.callers: dict[int, Caller] = {}
        self.under_way: dict[int, Handle[Result]] = {}
        self.told: dict[int, Callable[..., None]] = {}
        self.known: dict[int, Known | None] = {}

    def said(
        self,
        text: str,
        manner: Manner,
        caller: Caller,
        *,
        known: Known | None = None,
        told: Callable[..., None] = lambda stage, tokens: None,
        written: str | None = None,
    ) -> Handle[Result]:
        if self.closed:
            raise BackendError("this engine is closed")
        if UNSAYABLE in text:
            raise InputError(f"no word for {text}")
        number = manner.seed
        assert number not in self.begun
        handle: Handle[Result] = Handle()
        self.begun.append(number)
        self.voices[number] = manner.voice.name if manner.voice else None
        self.callers[number] = caller
        self.under_way[number] = handle
        self.told[number], self.known[number] = told, known
        handle.texts = text  # type: ignore[attr-defined]
        return handle

    def end(self, number: int) -> None:
        """Make a text that is under way."""
        handle = self.under_way.pop(number)
        text: str = handle.texts  # type: ignore[attr-defined]
        if handle.cancelled():
            return
        if BROKEN in text:
            handle.set_exception(GenerationError(f"no sound of {text}"))
        else:
            handle.set_result(result_of(text, number, self.voices[number]))

    def end_all(self, choose: Callable[[list[int]], int] = min) -> Iterator[int]:
        """Make whatever is under way or comes to be, one by one; gives the number of each."""
        while self.under_way:
            number = choose(sorted(self.under_way))
            self.end(number)
            yield number


def result_of(text: str, seed: int, voice: str | None = None) -> Result:
    """Six tokens a second, and a sound if the text has one."""
    frames = 0 if SILENT in text else 9
    tokens = np.full(2 * frames // 3, seed), np.zeros((2, frames), np.int64), np.zeros((8, frames), np.int64)
    audio = np.full(320 * frames, 0.25, np.float32)
    return Result(text, audio, 24_000, *tokens, seed, voice, "c", "w", Timings())


def takes_of(texts: Sequence[str]) -> list[Take]:
    """A take of each text; its seed is its number."""
    return [Take(number, text, number) for number, text in enumerate(texts)]
