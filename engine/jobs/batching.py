"""Many texts, an audio file each, side by side."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from alrakis.engine import Engine
from alrakis.errors import GenerationError, InputError
from alrakis.files.printable import printable_lines
from alrakis.flight.journey import Manner
from alrakis.flight.sequence import Caller, Handle
from alrakis.jobs.batch_folder import BatchFolder, Finished
from alrakis.jobs.batch_texts import BatchItem, subtitles_file
from alrakis.jobs.settings import JobSettings
from alrakis.long.contest import said_best
from alrakis.long.cues import Align, cue_of
from alrakis.long.pieces import LongResult
from alrakis.long.speech import Speech
from alrakis.long.text import LongText
from alrakis.marks.subtitles import Cue, save_subtitles
from alrakis.result import Result
from alrakis.sampling import seeds_for
from alrakis.text.pace import language_of
from alrakis.text.spelling import spelled_chunks
from alrakis.text.splitting import check_language, split_text
from alrakis.voices import Voice


@dataclass(frozen=True)
class BatchTask:
    """What is to be said, and how: for all items, unless an item says otherwise for itself.

    subtitles: `.srt`, `.vtt` or `.json`: each item has such a file beside its audio. aligning: gives what
    finds the words of a language.
    """

    items: Sequence[BatchItem]
    settings: JobSettings
    subtitles: str | None = None
    aligning: Callable[[str], Align] | None = None


@dataclass(frozen=True, eq=False)
class PlannedItem:
    """An item with all that it needs.

    text: as it is said, without its speaker's label. long: it is said in several chunks, as by
    `Engine.generate_long`. seconds: its expected length. written: the text before it was spelled. speaker:
    who says it, by its label.
    """

    item: BatchItem
    text: str
    long: bool
    seed: int
    voice: Voice | None
    seconds: float
    written: str | None = None
    speaker: str | None = None


class Batch:
    """A task in a folder that is held. Raises InputError for a mistake, or a folder of another task.

    done: the items that are made, by id. changed, gone: as `Standing` has them. failed: in this run.
    subtitles: as the task has it.
    """

    def __init__(self, engine: Engine, task: BatchTask, folder: BatchFolder) -> None:
        self._engine = engine
        self._task = task
        self._folder = folder
        settings = task.settings
        self._seeds = {
            item.id: own if item.seed is None else item.seed
            for item, own in zip(task.items, seeds_for(settings.seed, len(task.items)), strict=True)
        }
        self._voices: dict[str | None, Voice | None] = {}
        self._cast = {name: self._voice(voice) for name, voice in settings.cast.items()}
        self._voice(settings.voice)
        standing = folder.begin(settings, task.items, task.subtitles)
        self.done, self.changed, self.gone = standing.done, standing.changed, standing.gone
        self.failed: list[Finished] = []
        self.subtitles = task.subtitles
        self._caller = Caller(urgent=False)

    def make(self) -> Iterator[Finished]:
        """Make what is still to be made, short texts first: an item when it is written down.

        Raises OutputError when files cannot be written.
        """
        planned = []
        for item in self._task.items:
            if item.id in self.done:
                continue
            try:
                planned.append(self._plan(item))
            except InputError as error:
                yield self._record(self._failed(item, error))
        planned.sort(key=lambda plan: plan.seconds)
        yield from self._all(planned)

    def _all(self, planned: Sequence[PlannedItem]) -> Iterator[Finished]:
        """Items as they are done; so many are under way that the slots are full."""
        ended: SimpleQueue[PlannedItem] = SimpleQueue()
        under_way: dict[PlannedItem, Handle[Result] | Speech] = {}
        waiting = list(reversed(planned))
        try:
            while waiting or under_way:
                while waiting and len(under_way) < 2 * self._engine.config.max_batch:
                    plan = waiting.pop()
                    try:
                        under_way[plan] = self._say(plan, functools.partial(ended.put, plan))
                    except (InputError, GenerationError) as error:
                        yield self._record(self._failed(plan.item, error))
                if under_way:
                    plan = ended.get()
                    yield self._record(self._made(plan, under_way.pop(plan)))
        finally:
            for handle in under_way.values():
                handle.cancel()

    def _plan(self, item: BatchItem) -> PlannedItem:
        """Raises InputError if the item cannot be said."""
        options = self._task.settings.options
        language = check_language(item.lang or self._task.settings.lang) or language_of(item.text)
        split = functools.partial(
            split_text,
            encoder=self._engine.tokenizer,
            language=language,
            max_s=self._engine.config.chunk_s,
            cast=self._cast,
        )
        chunks = spelled_chunks(item.text, options, language, self._cast, split)
        voice = self._voice(item.voice or self._task.settings.voice)
        seed, seconds = self._seeds[item.id], sum(chunk.seconds for chunk in chunks)
        if len(chunks) > 1:
            return PlannedItem(item, item.text, True, seed, voice, seconds)
        (only,) = chunks
        if only.speaker in self._cast:
            voice = self._cast[only.speaker]
        return PlannedItem(item, only.text, False, seed, voice, seconds, only.written, only.speaker)

    def _voice(self, name: str | None) -> Voice | None:
        if name not in self._voices:
            self._voices[name] = self._engine.load_voice(name)
        return self._voices[name]

    def _say(self, plan: PlannedItem, ended: Callable[[], None]) -> "Handle[Result] | Speech":
        """Begin to say an item. ended: is called when it is done, or cannot be."""
        settings = self._task.settings
        if plan.long:
            language = plan.item.lang or settings.lang
            long = LongText(
                self._engine,
                plan.text,
                plan.voice,
                self._cast,
                plan.seed,
                "voice",
                language,
                settings.options,
            )
            speech = long.say(bounded=False)
            speech.add_done_callback(ended)
            return speech
        manner = Manner(plan.voice, plan.seed, settings.options)
        language = plan.item.lang or settings.lang or language_of(plan.text)
        handle = said_best(self._engine, plan.text, manner, self._caller, language, written=plan.written)
        handle.add_done_callback(lambda _: ended())
        return handle

    def _made(self, plan: PlannedItem, made: "Handle[Result] | Speech") -> Finished:
        """An item that is over, saved."""
        try:
            return self._saved(plan, made.result())
        except (InputError, GenerationError) as error:
            return self._failed(plan.item, error)

    def _saved(self, plan: PlannedItem, result: Result | LongResult) -> Finished:
        item = plan.item
        try:
            self._folder.keep_earlier(item.file)
            result.save(self._folder.folder / item.file)
        except GenerationError as error:
            return self._failed(item, error)
        if self.subtitles is not None:
            place = self._folder.folder / subtitles_file(item.file, self.subtitles)
            save_subtitles(place, self._cues(plan, result))
        scores = [scored.facts() for scored in getattr(result, "takes", ())]
        return self._finished(item, state="done", seconds=round(result.duration_s, 3), scores=scores)

    def _cues(self, plan: PlannedItem, result: Result | LongResult) -> list[Cue]:
        task, item = self._task, plan.item
        language = item.lang or task.settings.lang or language_of(item.text)
        align = task.aligning and task.aligning(language)
        if isinstance(result, LongResult):
            return result.cues(align)
        cue = cue_of(result.text, plan.speaker, result.audio, result.sample_rate, align)
        return [] if cue is None else [cue]

    def _failed(self, item: BatchItem, error: Exception) -> Finished:
        return self._finished(item, state="failed", error=printable_lines(error))

    def _finished(self, item: BatchItem, **facts: Any) -> Finished:
        return Finished(**item.model_dump(exclude={"line", "seed"}), seed=self._seeds[item.id], **facts)

    def _record(self, finished: Finished) -> Finished:
        self._folder.add([finished])
        if finished.state == "done":
            self.done[finished.id] = finished
        else:
            self.failed.append(finished)
        return finished
