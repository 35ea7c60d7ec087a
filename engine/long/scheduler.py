"""Many chunks through the stages in full batches; each result as soon as its batch is done.

A batch goes through the text stage, then its chunks wait in a pool. The coarse, fine and codec stages take a
full batch of one voice out of the pool, and when there is none the text stage says more: chunks that ended
early, or without a word, have been replaced by the next stage.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from alrakis.errors import AlrakisError, GenerationError, InputError
from alrakis.long.voices import SteadyVoices
from alrakis.pipeline import Pipeline
from alrakis.result import Result
from alrakis.sampling import IntArray, Options
from alrakis.timings import Clock, OnMove, Timings
from alrakis.voices import Voice

Item = TypeVar("Item")


@dataclass(frozen=True)
class Take:
    """One making of a chunk: the chunk's number in the text, from 0, what it says, and its seed."""

    index: int
    text: str
    seed: int


@dataclass(frozen=True, eq=False)
class Spoken:
    """A chunk after the text stage: semantic tokens `(S,)`, and the seconds that it took by stage."""

    take: Take
    semantic: IntArray
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True)
class Step:
    """One batch through the text stage, or through all stages after it.

    spoken: what came out of the text stage, and waits. results: what is finished. batch: how many chunks the
    next batch may have. failed: what cannot be said, and why.
    """

    spoken: list[Spoken]
    results: list[tuple[Take, Result]]
    batch: int
    failed: list[tuple[Take, AlrakisError]] = field(default_factory=list)


class Scheduler:
    """Makes takes with a pipeline's stages, as many at once as there may be.

    takes: ascending in their index. steady: tells each chunk's voice, and is told each result. batch: how
    many chunks the first batch has (max_batch if None); each one after it may be twice as large, up to the
    config's max_batch. pool: chunks that went through the text stage before. on_move: as Clock has it.

    What is done next depends on nothing else: with the takes, the pool and the batch size that a step leaves,
    another scheduler goes on with the same batches.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        takes: Sequence[Take],
        steady: SteadyVoices,
        options: Options,
        *,
        batch: int | None = None,
        pool: Sequence[Spoken] = (),
        on_move: OnMove | None = None,
        silent: bool = True,
    ) -> None:
        self._pipeline = pipeline
        self._waiting = list(takes)
        self._steady = steady
        self._options = options
        self._max_batch = pipeline.config.max_batch
        self._batch = min(batch or self._max_batch, self._max_batch)
        self._on_move = on_move
        self._silent = silent
        self._pool = _sorted(pool)

    def results(self) -> Iterator[tuple[Take, Result]]:
        """Every take with its result, as they come: those of one batch in order, batches by voice.

        Raises the error of a take that cannot be said.
        """
        for step in self.steps():
            for _, error in step.failed:
                raise error
            yield from step.results

    def steps(self) -> Iterator[Step]:
        """The same, batch by batch; a take that cannot be said fails alone."""
        while self._waiting or self._pool:
            batch = self._next_batch()
            room = len(batch) < self._batch and len(self._pool) < 2 * self._batch
            ready = self._ready() if room else []
            if ready:
                yield from _apart(self._say, ready, self._fail)
            else:
                yield from _apart(self._voice_out, batch, lambda chunk, error: self._fail(chunk.take, error))

    def _ready(self) -> list[Take]:
        """The next takes whose voice is known, at most a batch."""
        return [take for take in self._waiting if self._steady.ready(take.index)][: self._batch]

    def _next_batch(self) -> list[Spoken]:
        """The first chunk in the pool, and others in its voice."""
        voices = [self._steady.voice(spoken.take.index) for spoken in self._pool]
        same = [s for s, voice in zip(self._pool, voices, strict=True) if voice is voices[0]]
        return same[: self._batch]

    def _say(self, takes: list[Take]) -> Step:
        """The text stage. Chunks that speak go into the pool, the others are finished."""
        clock = Clock(self._on_move)
        semantics = self._pipeline.text_to_semantic(
            [take.text for take in takes],
            [self._steady.voice(take.index) for take in takes],
            [take.seed for take in takes],
            self._options,
            silent=self._silent,
            clock=clock,
        )
        said = [Spoken(*pair, clock.timings()) for pair in zip(takes, semantics, strict=True)]
        spoken = [chunk for chunk in said if len(chunk.semantic)]
        self._waiting = [take for take in self._waiting if take not in takes]
        self._pool = _sorted([*self._pool, *spoken])
        return Step(spoken, self._results([chunk for chunk in said if not len(chunk.semantic)]), self._batch)

    def _voice_out(self, batch: list[Spoken]) -> Step:
        """All stages after it."""
        results = self._results(batch)
        self._pool = [chunk for chunk in self._pool if chunk not in batch]
        self._batch = min(2 * self._batch, self._max_batch)
        return Step([], results, self._batch)

    def _fail(self, take: Take, error: AlrakisError) -> Step:
        self._waiting = [other for other in self._waiting if other != take]
        self._pool = [chunk for chunk in self._pool if chunk.take != take]
        self._steady.finish(take.index, None)
        return Step([], [], self._batch, [(take, error)])

    def _results(self, batch: list[Spoken]) -> list[tuple[Take, Result]]:
        results = self._pipeline.semantic_to_results(
            [chunk.take.text for chunk in batch],
            [chunk.semantic for chunk in batch],
            [self._steady.voice(chunk.take.index) for chunk in batch],
            [chunk.take.seed for chunk in batch],
            self._options,
            silent=self._silent,
            clock=Clock(self._on_move),
        )
        made = [
            (chunk.take, replace(result, timings=chunk.timings + result.timings))
            for chunk, result in zip(batch, results, strict=True)
        ]
        for take, result in made:
            self._steady.finish(take.index, _as_voice(take.index, result))
        return made


def _apart(
    work: Callable[[list[Item]], Step], batch: list[Item], fail: Callable[[Item, AlrakisError], Step]
) -> Iterator[Step]:
    """A batch's step; where something in it cannot be said, the steps of its halves."""
    try:
        step = work(batch)
    except (InputError, GenerationError) as error:
        if len(batch) == 1:
            yield fail(batch[0], error)
        else:
            for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
                yield from _apart(work, half, fail)
    else:
        yield step


def _sorted(pool: Sequence[Spoken]) -> list[Spoken]:
    return sorted(pool, key=lambda chunk: chunk.take.index)


def _as_voice(index: int, result: Result) -> Voice | None:
    """A chunk's result as the voice of others, None if it is silent."""
    if len(result.audio) == 0:
        return None
    tokens = result.semantic_tokens, result.coarse_tokens, result.fine_tokens
    return Voice(*tokens, name=f"chunk {index + 1}")
