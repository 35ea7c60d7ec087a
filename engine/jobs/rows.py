"""The rows of a batch while they are said: what each needs, what comes of it, and who says it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from alrakis.config import Config
from alrakis.engine import Engine
from alrakis.flight.journey import Manner
from alrakis.flight.sequence import Caller
from alrakis.jobs.batch_texts import BatchItem, subtitles_file
from alrakis.jobs.settings import JobSettings
from alrakis.long.contest import said_best
from alrakis.long.cues import Align, cue_of
from alrakis.long.pieces import LongResult
from alrakis.long.text import LongText
from alrakis.marks.subtitles import Cue, subtitles
from alrakis.result import Result
from alrakis.text.pace import language_of
from alrakis.text.splitting import Chunk
from alrakis.voices import Voice

Aligning = Callable[[str], Align]


@dataclass(frozen=True)
class BatchTask:
    """What is to be said, and how: for all items, unless an item says otherwise for itself.

    subtitles: `.srt`, `.vtt` or `.json`: each item has such a file beside its audio. aligning: gives what
    finds the words of a language.
    """

    items: Sequence[BatchItem]
    settings: JobSettings
    subtitles: str | None = None
    aligning: Aligning | None = None


@dataclass(frozen=True, eq=False)
class PlannedItem:
    """An item with all that it needs.

    text: as it is said, without its speaker's label. chunks: of a text that is said in several, as by
    `Engine.generate_long`; else none. written: the text before it was spelled. speaker: who says it, by its
    label.
    """

    item: BatchItem
    text: str
    chunks: tuple[Chunk, ...]
    seed: int
    voice: Voice | None
    written: str | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class MadeRow:
    """What comes of an item: its files' content by name, audio first, its seconds, and takes listened to.

    Those of an item in several chunks say of which chunk they are, from 1.
    """

    files: dict[str, bytes]
    seconds: float
    scores: list[dict[str, Any]]


class Row(Protocol):
    """An item under way."""

    def result(self) -> MadeRow:
        """What came of it, when it is over. Raises InputError or GenerationError if it cannot be said."""

    def cancel(self) -> object:
        """Give it up."""


class Sayer(Protocol):
    """Who says items: an engine here, or a cluster."""

    @property
    def room(self) -> int:
        """How many items should be under way now, so that nobody waits for one."""

    def say(self, plan: PlannedItem, ended: Callable[[], None]) -> Row:
        """Begin to say an item. ended: is called when it is over.

        Raises InputError or GenerationError if it cannot be said.
        """


class EngineSayer:
    """Says items on one engine. cast: the voices of speakers."""

    def __init__(self, engine: Engine, task: BatchTask, cast: Mapping[str, Voice | None]) -> None:
        self._engine = engine
        self._task = task
        self._cast = cast
        self.caller = Caller(urgent=False)

    @property
    def room(self) -> int:
        """So many that the slots are full."""
        return row_room(self._engine.config)

    def say(self, plan: PlannedItem, ended: Callable[[], None]) -> Row:
        """As `Sayer` has it."""
        settings = self._task.settings
        language = plan.item.lang or settings.lang
        if plan.chunks:
            long = LongText(
                self._engine,
                plan.chunks,
                plan.voice,
                self._cast,
                plan.seed,
                "voice",
                language,
                settings.options,
            )
            long.text = plan.text  # with its labels and lines, which its chunks have not
            speech = long.say(bounded=False)
            speech.add_done_callback(ended)
            return _Said(speech, plan, self._task)
        manner = Manner(plan.voice, plan.seed, settings.options)
        language = language or language_of(plan.text)
        handle = said_best(self._engine, plan.text, manner, self.caller, language, written=plan.written)
        handle.add_done_callback(lambda _: ended())
        return _Said(handle, plan, self._task)


def row_room(config: Config) -> int:
    """How many items an engine has under way: the later stages have a batch of their own."""
    return 2 * config.max_batch


class _UnderWay(Protocol):
    def result(self) -> Result | LongResult: ...

    def cancel(self) -> object: ...


class _Said:
    """A row under way, whose files are made by whoever waits for it."""

    def __init__(self, said: _UnderWay, plan: PlannedItem, task: BatchTask) -> None:
        self._said = said
        self._plan = plan
        self._task = task

    def cancel(self) -> object:
        return self._said.cancel()

    def result(self) -> MadeRow:
        result, file = self._said.result(), self._plan.item.file
        files = {file: result.encoded(Path(file).suffix)}
        if self._task.subtitles is not None:
            name = subtitles_file(file, self._task.subtitles)
            files[name] = subtitles(self._cues(result), self._task.subtitles).encode()
        return MadeRow(files, round(result.duration_s, 3), _scores(result))

    def _cues(self, result: Result | LongResult) -> list[Cue]:
        task, item = self._task, self._plan.item
        language = item.lang or task.settings.lang or language_of(item.text)
        align = task.aligning and task.aligning(language)
        if isinstance(result, LongResult):
            return result.cues(align)
        cue = cue_of(result.text, self._plan.speaker, result.audio, result.sample_rate, align)
        return [] if cue is None else [cue]


def _scores(result: Result | LongResult) -> list[dict[str, Any]]:
    if isinstance(result, Result):
        return [scored.facts() for scored in result.takes]
    takes = [(piece.index + 1, scored) for piece in result.pieces for scored in piece.result.takes]
    return [{"chunk": chunk, **scored.facts()} for chunk, scored in takes]
