"""Takes of many chunks, made side by side: each begins as soon as its voice is known and there is room."""

import functools
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from alrakis.errors import GenerationError, InputError
from alrakis.flight.journey import Known, Manner
from alrakis.flight.sequence import Caller, Handle
from alrakis.long.contest import said_best
from alrakis.long.voices import SteadyVoices
from alrakis.pipeline import Pipeline
from alrakis.result import Result
from alrakis.sampling import IntArray, Options
from alrakis.spec import Stage
from alrakis.text.pace import language_of
from alrakis.timings import OnMove
from alrakis.voices import Voice


@dataclass(frozen=True, eq=False)
class Take:
    """One making of a chunk: the chunk's number in the text, from 0, what it says, and its seed.

    known: what stages have made of it before. written: its text before it was spelled for the voice.
    """

    index: int
    text: str
    seed: int
    known: Known | None = None
    written: str | None = None


Told = Callable[[Take, Stage, IntArray], None]


class Speaker(Protocol):
    """Who says takes: an engine here, or a cluster."""

    @property
    def room(self) -> int:
        """How many takes may be under way now."""

    def said(self, take: Take, manner: Manner, caller: Caller, language: str, told: Told) -> Handle[Result]:
        """Begin to say a take: the best of as many as the options ask for. told: as `Takes` has it.

        Raises InputError or GenerationError if it cannot be said.
        """


class EngineSpeaker:
    """Says takes on one engine."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @property
    def room(self) -> int:
        """The later stages have a batch of their own."""
        return 2 * self._pipeline.config.max_batch

    def said(self, take: Take, manner: Manner, caller: Caller, language: str, told: Told) -> Handle[Result]:
        """As `Speaker` has it."""
        alone = {"known": take.known, "told": functools.partial(told, take)}
        further = {} if manner.options.takes > 1 else alone
        return said_best(self._pipeline, take.text, manner, caller, language, written=take.written, **further)


class Takes:
    """Takes under way. What comes of each is told as soon as it is there, in any order.

    takes: ascending in their index. steady: tells each chunk's voice, and is told each result. made: is
    called with each take and its result, or the error that it ended with. told: is called with a take, a
    stage and what that made. Both are called by the thread that does the work. begin: how many are under way
    at first; each that is done makes room for two, up to the speaker's room (that many at once if None). With
    `begin` the first of them is urgent: somebody waits for its sound. bounded: results that nobody has taken
    yet leave no room for others. client: as `Caller` has it.
    """

    def __init__(
        self,
        speaker: Speaker,
        takes: Sequence[Take],
        steady: SteadyVoices,
        options: Options,
        made: Callable[[Take, Result | BaseException], None],
        *,
        told: Told = lambda take, stage, tokens: None,
        begin: int | None = None,
        bounded: bool = True,
        on_move: OnMove | None = None,
        client: Hashable | None = None,
        language: str | None = None,
    ) -> None:
        self._speaker = speaker
        self._language = language
        self._waiting = list(takes)
        self._steady = steady
        self._options = options
        self._made = made
        self._told = told
        self._bounded = bounded
        self._room = begin or speaker.room
        self._urgent = begin is not None
        self._on_move = on_move
        self._client: Hashable = self if client is None else client
        self._caller = Caller(on_move, urgent=False, client=self._client)
        self._lock = threading.RLock()
        self._under_way: dict[Take, Handle[Result]] = {}
        self._kept = 0  # results that nobody has taken yet
        self._stopped = False

    def start(self) -> None:
        """Begin. Raises what stops a take from being submitted."""
        with self._lock:
            self._advance()

    def taken(self) -> None:
        """A result has been used: there is room for another take."""
        with self._lock:
            self._kept -= self._bounded
            self._advance()

    def cancel(self) -> None:
        """Give up what is not made yet."""
        with self._lock:
            self._stopped = True
            handles = list(self._under_way.values())
        for handle in handles:
            handle.cancel()

    def _advance(self) -> None:
        while not self._stopped and len(self._under_way) + self._kept < min(self._room, self._speaker.room):
            take = next((t for t in self._waiting if self._steady.ready(t.index)), None)
            if take is None:
                return
            self._waiting.remove(take)
            try:
                self._submit(take)
            except (InputError, GenerationError) as error:
                self._finish(take, error)
            except BaseException:
                self._waiting.insert(0, take)
                raise

    def _submit(self, take: Take) -> None:
        caller = Caller(self._on_move, client=self._client) if self._urgent else self._caller
        self._urgent = False
        manner = Manner(self._steady.voice(take.index), take.seed, self._options)
        language = self._language or language_of(take.text)
        handle = self._speaker.said(take, manner, caller, language, self._told)
        self._under_way[take] = handle
        handle.add_done_callback(functools.partial(self._done, take))

    def _done(self, take: Take, handle: Future[Result]) -> None:
        """A take is over, well or not; in the worker's thread, or in that of who cancelled it."""
        with self._lock:
            self._under_way.pop(take, None)
            if self._stopped:
                return
            made: Result | BaseException
            try:
                made = handle.result()
            except BaseException as error:  # whatever it is, it is told to whoever wants the take
                made = error
            self._finish(take, made)
            try:
                self._advance()
            except BaseException as error:  # closed meanwhile, or no memory: nobody may wait for the rest
                self._give_up(error)

    def _give_up(self, error: BaseException) -> None:
        """There is no going on: end what is under way, and say so of all that is not made."""
        self._stopped = True
        under_way = dict(self._under_way)
        for handle in under_way.values():
            handle.cancel()
        for take in [*under_way, *self._waiting]:
            self._made(take, error)

    def _finish(self, take: Take, made: Result | BaseException) -> None:
        voice = as_voice(take.index, made) if isinstance(made, Result) else None
        self._steady.finish(take.index, voice)
        self._kept += self._bounded
        self._room = max(self._room, min(2 * self._room, self._speaker.room))
        self._made(take, made)


def as_voice(index: int, result: Result) -> Voice | None:
    """A chunk's result as the voice of others, None if it is silent."""
    if len(result.audio) == 0:
        return None
    tokens = result.semantic_tokens, result.coarse_tokens, result.fine_tokens
    return Voice(*tokens, name=f"chunk {index + 1}")
