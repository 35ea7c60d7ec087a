"""What runs on a machine of the cluster: one engine, and the jobs that it does."""

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from alrakis.cluster.facts import Facts, Need, differences, facts_here
from alrakis.engine import Engine
from alrakis.errors import AlrakisError, BackendError, GenerationError, InputError
from alrakis.flight.journey import Known, Manner
from alrakis.flight.sequence import Caller
from alrakis.jobs.rows import Aligning, BatchTask, EngineSayer, MadeRow, PlannedItem
from alrakis.jobs.settings import JobSettings
from alrakis.long.contest import said_best
from alrakis.result import Result
from alrakis.voices import Voice

SMALL = "SUNO_USE_SMALL_MODELS"  # which Bark "bark" is


@dataclass(frozen=True)
class Recipe:
    """All that a worker needs to say what the machine that plans would say.

    cast: the voices of speakers. subtitles: as a task has it; words: with the time of each. listen: a
    recogniser, and the languages that it must know. threads: where
    the config leaves them open. small: SUNO_USE_SMALL_MODELS as the planning machine has it. known: what its
    machine must have.
    """

    settings: JobSettings
    cast: Mapping[str, Voice | None]
    known: Facts | None = None
    subtitles: str | None = None
    words: bool = False
    listen: str | None = None
    languages: tuple[str, ...] = ()
    threads: int | None = None
    small: str = ""

    @property
    def need(self) -> Need:
        """What a machine is looked at for."""
        return Need(self.settings.weights, self.settings.config, self.listen)


@dataclass(frozen=True)
class Done:
    """What came of a job, which may be an error of its own; and what is worth a warning."""

    value: Any
    notes: list[str]


class Bench:
    """What jobs work with."""

    def __init__(self, engine: Engine, recipe: Recipe, aligning: Aligning | None) -> None:
        self.engine = engine
        self.sayer = EngineSayer(
            engine, BatchTask([], recipe.settings, recipe.subtitles, aligning), recipe.cast
        )
        self.caller = Caller(urgent=False)


class Job(Protocol):
    """Work for a worker; what comes of it travels back."""

    def do(self, bench: Bench) -> Any:
        """Do it. Raises InputError or GenerationError if it cannot be done."""


@dataclass(frozen=True)
class RowJob:
    """An item of a batch."""

    plan: PlannedItem

    def do(self, bench: Bench) -> MadeRow:
        return bench.sayer.say(self.plan, lambda: None).result()


@dataclass(frozen=True)
class ChunkJob:
    """A chunk of a long text."""

    text: str
    manner: Manner
    language: str
    written: str | None
    known: Known | None

    def do(self, bench: Bench) -> Result:
        further = {} if self.manner.options.takes > 1 else {"known": self.known}
        handle = said_best(
            bench.engine, self.text, self.manner, bench.caller, self.language, written=self.written, **further
        )
        return handle.result()


class Worker:
    """One engine, in a process of its own. Its methods are called by the cluster, `do` in several threads."""

    def __init__(self) -> None:
        self._bench: Bench | None = None
        self._notes = _Notes()
        logging.getLogger("alrakis").addHandler(self._notes)

    def open(self, recipe: Recipe) -> tuple[Facts, list[str]]:
        """Look at this machine, and load the weights if it will do. Gives its facts, and why it will not."""
        os.environ[SMALL] = recipe.small
        found = facts_here(recipe.need)
        problems = list(differences(recipe.known or found, found))
        if problems:
            return found, problems
        try:
            self._bench = self._opened(recipe)
        except (AlrakisError, OSError, MemoryError, ImportError) as error:
            return found, [str(error) or type(error).__name__]
        return found, []

    def _opened(self, recipe: Recipe) -> Bench:
        config = recipe.settings.config
        if config.threads is None and recipe.threads is not None:
            config = config.model_copy(update={"threads": recipe.threads})
        engine, aligning = Engine(recipe.settings.weights, config), None
        if recipe.listen is not None:
            from alrakis.listening.recogniser import Recogniser

            recogniser = Recogniser(recipe.listen, threads=config.threads or 0)
            for language in recipe.languages:
                recogniser.check(language)
            engine.listener = recogniser
            aligning = recogniser.aligning if recipe.words else None
        engine.preload()
        return Bench(engine, recipe, aligning)

    def do(self, job: Job) -> Done:
        """Do a job. Errors that are its own come back; any other is raised."""
        if self._bench is None:
            raise BackendError("this worker is not open")
        value: Any
        try:
            value = job.do(self._bench)
        except (InputError, GenerationError) as error:
            value = error
        return Done(value, self._notes.take())

    def process(self) -> int:
        """Its process, for whoever looks after it."""
        return os.getpid()


class _Notes(logging.Handler):
    """Keeps warnings until they are fetched."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept: list[str] = []
        self._own = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        with self._own:
            self._kept.append(record.getMessage())

    def take(self) -> list[str]:
        """What was kept since it was last asked for."""
        with self._own:
            kept, self._kept = self._kept, []
        return kept
