"""Many texts, an audio file each, side by side."""

import functools
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any

from alrakis.errors import GenerationError, InputError
from alrakis.files.printable import printable_lines
from alrakis.jobs.batch_folder import BatchFolder, Finished
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.rows import BatchTask, EngineSayer, PlannedItem, Row, Sayer
from alrakis.long.text import Planning, split_long
from alrakis.sampling import seeds_for
from alrakis.text.pace import expected_s, language_of
from alrakis.text.spelling import spelled_chunks
from alrakis.text.splitting import check_language, split_text
from alrakis.voices import Voice

MakeSayer = Callable[[Any, BatchTask, Mapping[str, Voice | None]], Sayer]


class Batch:
    """A task in a folder that is held. Raises InputError for a mistake, or a folder of another task.

    planning: an engine, or what does all that an engine does but speak. sayer: makes who speaks, of the three
    that `EngineSayer` takes.
    done: the ids of the items that are made; failed: of those that failed in this run. changed, gone: as
    `Standing` has them. subtitles: as the task has it. Of an item that is over no more than its id is kept.
    """

    def __init__(
        self, planning: Planning, task: BatchTask, folder: BatchFolder, sayer: MakeSayer = EngineSayer
    ) -> None:
        self._planning = planning
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
        self.sayer = sayer(planning, task, self._cast)
        if folder.settings() is None:
            planning.fetch()
        standing = folder.begin(settings, task.items, task.subtitles)
        self.done, self.changed, self.gone = set(standing.done), standing.changed, standing.gone
        self.failed: set[str] = set()
        self.subtitles = task.subtitles

    def make(self) -> Iterator[Finished]:
        """Make what is still to be made, short texts first: an item when it is written down.

        Raises OutputError when files cannot be written.
        """
        waiting = [item for item in self._task.items if item.id not in self.done]
        if waiting:
            self._planning.fetch()
        expected: list[tuple[float, BatchItem]] = []
        for item in waiting:
            try:
                expected.append((self._expected_s(item), item))
            except InputError as error:
                yield self._record(self._failed(item, error))
        expected.sort(key=lambda pair: pair[0])
        yield from self._all([item for _, item in reversed(expected)])

    def _all(self, waiting: list[BatchItem]) -> Iterator[Finished]:
        """Items as they are done, the last first; so many are under way that the slots are full.

        Those that are begun are taken out of the list, so that nobody keeps them.
        """
        ended: SimpleQueue[PlannedItem] = SimpleQueue()
        under_way: dict[PlannedItem, Row] = {}
        try:
            while waiting or under_way:
                while waiting and len(under_way) < self.sayer.room:
                    item = waiting.pop()
                    try:
                        plan = self._plan(item)
                        under_way[plan] = self.sayer.say(plan, functools.partial(ended.put, plan))
                    except (InputError, GenerationError) as error:
                        yield self._record(self._failed(item, error))
                if under_way:
                    plan = ended.get()
                    yield self._record(self._made(plan, under_way.pop(plan)))
        finally:
            for row in under_way.values():
                row.cancel()

    def _plan(self, item: BatchItem) -> PlannedItem:
        """Raises InputError if the item cannot be said."""
        options, language = self._task.settings.options, self._language(item)
        split = functools.partial(
            split_text,
            encoder=self._planning.tokenizer,
            language=language,
            max_s=self._planning.config.chunk_s,
            cast=self._cast,
        )
        chunks = spelled_chunks(item.text, options, language, self._cast, split)
        voice = self._voice(item.voice or self._task.settings.voice)
        seed = self._seeds[item.id]
        if len(chunks) > 1:
            long = split_long(
                item.text,
                self._planning.tokenizer,
                self._planning.config,
                language=language,
                cast=list(self._cast),
                options=options,
            )
            return PlannedItem(item, item.text, tuple(long), seed, voice)
        (only,) = chunks
        if only.speaker in self._cast:
            voice = self._cast[only.speaker]
        return PlannedItem(item, only.text, (), seed, voice, only.written, only.speaker)

    def _expected_s(self, item: BatchItem) -> float:
        """How long an item will be, as far as a look tells. Raises InputError for its voice or language."""
        self._voice(item.voice or self._task.settings.voice)
        return expected_s(item.text, self._language(item))

    def _language(self, item: BatchItem) -> str:
        return check_language(item.lang or self._task.settings.lang) or language_of(item.text)

    def _voice(self, name: str | None) -> Voice | None:
        if name not in self._voices:
            self._voices[name] = self._planning.load_voice(name)
        return self._voices[name]

    def _made(self, plan: PlannedItem, row: Row) -> Finished:
        """An item that is over, saved. Raises OutputError."""
        try:
            made = row.result()
        except (InputError, GenerationError) as error:
            return self._failed(plan.item, error)
        self._folder.save(made.files)
        return self._finished(plan.item, state="done", seconds=made.seconds, scores=made.scores)

    def _failed(self, item: BatchItem, error: Exception) -> Finished:
        return self._finished(item, state="failed", error=printable_lines(error))

    def _finished(self, item: BatchItem, **facts: Any) -> Finished:
        same = {key: getattr(item, key) for key in ("id", "text", "voice", "lang", "file")}
        return Finished(**same, seed=self._seeds[item.id], **facts)

    def _record(self, finished: Finished) -> Finished:
        self._folder.add([finished])
        (self.done if finished.state == "done" else self.failed).add(finished.id)
        return finished
