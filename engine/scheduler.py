"""Many chunks through the stages in full batches; each result as soon as its batch is done.

A batch goes through the text stage, then its rows wait in a pool. The coarse, fine and codec stages take a
full batch of one voice out of the pool, and when there is none the text stage says more: rows that ended
early, or without a word, have been replaced by the next stage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from alrakis.clock import Clock, OnMove
from alrakis.options import Options
from alrakis.result import Result, Timings
from alrakis.sampling import IntArray, Sampling
from alrakis.steady import SteadyVoices
from alrakis.voices import Voice


@dataclass(frozen=True)
class Job:
    """A chunk that is to be made: its number in the text, from 0, what it says, and its seed."""

    index: int
    text: str
    seed: int


class Stages(Protocol):
    """What the scheduler needs of an Engine."""

    def text_to_semantic(
        self,
        texts: Sequence[str],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        sampling: Sampling,
        *,
        max_gen_duration_s: float | None,
        allow_early_stop: bool,
        silent: bool,
        clock: Clock | None,
    ) -> list[IntArray]: ...

    def semantic_to_results(
        self,
        texts: Sequence[str],
        semantics: Sequence[IntArray],
        voices: Sequence[Voice | None],
        seeds: Sequence[int],
        options: Options,
        *,
        silent: bool,
        clock: Clock,
    ) -> list[Result]: ...


@dataclass(frozen=True, eq=False)
class Spoken:
    """A chunk after the text stage: semantic tokens `(S,)`, and the seconds that it took by stage."""

    job: Job
    semantic: IntArray
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True)
class Step:
    """One batch through the text stage, or through all stages after it.

    spoken: what came out of the text stage, and waits. results: what is finished. rows: of the next batch.
    """

    spoken: list[Spoken]
    results: list[tuple[Job, Result]]
    rows: int


class Scheduler:
    """Makes jobs with an engine's stages, as many at once as there may be.

    jobs: ascending in their index. steady: tells each chunk's voice, and is told each result. rows: of the
    first batch; each one after it may be twice as large, up to max_batch. pool: chunks that went through the
    text stage before. on_move: as Clock has it.

    What is done next depends on nothing else: with the jobs, the pool and the rows that a step leaves,
    another scheduler goes on with the same batches.
    """

    def __init__(
        self,
        stages: Stages,
        jobs: Sequence[Job],
        steady: SteadyVoices,
        options: Options,
        *,
        max_batch: int,
        rows: int | None = None,
        pool: Sequence[Spoken] = (),
        on_move: OnMove | None = None,
        silent: bool = True,
    ) -> None:
        self._stages = stages
        self._waiting = list(jobs)
        self._steady = steady
        self._options = options
        self._max_batch = max_batch
        self._rows = min(rows or max_batch, max_batch)
        self._on_move = on_move
        self._silent = silent
        self._pool = _sorted(pool)

    def results(self) -> Iterator[tuple[Job, Result]]:
        """Every job with its result, as they come: those of one batch in order, batches by voice."""
        for step in self.steps():
            yield from step.results

    def steps(self) -> Iterator[Step]:
        """The same, batch by batch."""
        while self._waiting or self._pool:
            batch = self._next_batch()
            room = len(batch) < self._rows and len(self._pool) < 2 * self._rows
            ready = self._ready() if room else []
            if ready:
                yield self._say(ready)
            else:
                yield self._voice_out(batch)

    def _ready(self) -> list[Job]:
        """The next jobs whose voice is known, at most a batch."""
        return [job for job in self._waiting if self._steady.ready(job.index)][: self._rows]

    def _next_batch(self) -> list[Spoken]:
        """The first chunk in the pool, and others in its voice."""
        voices = [self._steady.voice(one.job.index) for one in self._pool]
        return [one for one, voice in zip(self._pool, voices, strict=True) if voice is voices[0]][
            : self._rows
        ]

    def _say(self, jobs: list[Job]) -> Step:
        """The text stage. Chunks that speak go into the pool, the others are finished."""
        clock = self._clock()
        semantics = self._stages.text_to_semantic(
            [job.text for job in jobs],
            [self._steady.voice(job.index) for job in jobs],
            [job.seed for job in jobs],
            self._options.text,
            max_gen_duration_s=self._options.max_gen_duration_s,
            allow_early_stop=self._options.allow_early_stop,
            silent=self._silent,
            clock=clock,
        )
        said = [Spoken(job, semantic, clock.timings()) for job, semantic in zip(jobs, semantics, strict=True)]
        spoken = [one for one in said if len(one.semantic)]
        self._waiting = [job for job in self._waiting if job not in jobs]
        self._pool = _sorted([*self._pool, *spoken])
        return Step(spoken, self._results([one for one in said if not len(one.semantic)]), self._rows)

    def _voice_out(self, batch: list[Spoken]) -> Step:
        """All stages after it."""
        results = self._results(batch)
        self._pool = [one for one in self._pool if one not in batch]
        self._rows = min(2 * self._rows, self._max_batch)
        return Step([], results, self._rows)

    def _results(self, batch: list[Spoken]) -> list[tuple[Job, Result]]:
        clock = self._clock()
        results = self._stages.semantic_to_results(
            [one.job.text for one in batch],
            [one.semantic for one in batch],
            [self._steady.voice(one.job.index) for one in batch],
            [one.job.seed for one in batch],
            self._options,
            silent=self._silent,
            clock=clock,
        )
        made = [
            (one.job, replace(result, timings=one.timings + result.timings))
            for one, result in zip(batch, results, strict=True)
        ]
        for job, result in made:
            self._steady.finish(job.index, _as_voice(job.index, result))
        return made

    def _clock(self) -> Clock:
        return Clock(self._on_move) if self._on_move else Clock()


def _sorted(pool: Sequence[Spoken]) -> list[Spoken]:
    return sorted(pool, key=lambda one: one.job.index)


def _as_voice(index: int, result: Result) -> Voice | None:
    """A chunk's result as the voice of others, None if it is silent."""
    if len(result.audio) == 0:
        return None
    tokens = result.semantic_tokens, result.coarse_tokens, result.fine_tokens
    return Voice(*tokens, name=f"chunk {index + 1}")
