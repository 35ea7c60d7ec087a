"""Many texts, an audio file each: items grouped so that few, full batches run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alrakis.engine import Engine
from alrakis.errors import GenerationError, InputError
from alrakis.jobs.batch_folder import BatchFolder, Finished
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.settings import JobSettings
from alrakis.long.pieces import LongResult
from alrakis.result import Result
from alrakis.sampling import seeds_for
from alrakis.text.splitting import split_text
from alrakis.voices import Voice


@dataclass(frozen=True)
class BatchTask:
    """What is to be said, and how: for all items, unless an item says otherwise for itself."""

    items: Sequence[BatchItem]
    settings: JobSettings


@dataclass(frozen=True, eq=False)
class PlannedItem:
    """An item with all that it needs.

    text: as it is said, without its speaker's label. long: it is said in several chunks, as by
    `Engine.generate_long`. seconds: its expected length.
    """

    item: BatchItem
    text: str
    long: bool
    seed: int
    voice: Voice | None
    seconds: float


def grouped(planned: Sequence[PlannedItem], max_batch: int) -> Iterator[list[PlannedItem]]:
    """Items of one voice and of like length that run as a batch, short ones first; a long one alone."""
    by_voice: dict[int, list[PlannedItem]] = {}
    for plan in planned:
        if not plan.long:
            by_voice.setdefault(id(plan.voice), []).append(plan)
    for same in by_voice.values():
        same.sort(key=lambda plan: plan.seconds)
        for first in range(0, len(same), max_batch):
            yield same[first : first + max_batch]
    yield from ([plan] for plan in planned if plan.long)


class Batch:
    """A task in a folder that is held. Raises InputError for a mistake, or a folder of another task."""

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
        self.done = folder.begin(settings, task.items)
        self.failed: list[Finished] = []

    def make(self) -> Iterator[list[Finished]]:
        """Make what is still to be made, a batch at a time: its items when they are written down.

        Raises OutputError when files cannot be written.
        """
        planned = []
        for item in self._task.items:
            if item.id in self.done:
                continue
            try:
                planned.append(self._plan(item))
            except InputError as error:
                yield self._record([self._failed(item, error)])
        for group in grouped(planned, self._engine.config.max_batch):
            yield self._record(self._made(group))

    def _plan(self, item: BatchItem) -> PlannedItem:
        """Raises InputError if the item cannot be said."""
        chunks = split_text(
            item.text,
            self._engine.tokenizer,
            language=item.lang or self._task.settings.lang,
            max_s=self._engine.config.chunk_s,
            cast=self._cast,
        )
        voice = self._voice(item.voice or self._task.settings.voice)
        seed, seconds = self._seeds[item.id], sum(chunk.seconds for chunk in chunks)
        if len(chunks) > 1:
            return PlannedItem(item, item.text, True, seed, voice, seconds)
        (only,) = chunks
        if only.speaker in self._cast:
            voice = self._cast[only.speaker]
        return PlannedItem(item, only.text, False, seed, voice, seconds)

    def _voice(self, name: str | None) -> Voice | None:
        if name not in self._voices:
            self._voices[name] = self._engine.load_voice(name)
        return self._voices[name]

    def _made(self, group: Sequence[PlannedItem]) -> list[Finished]:
        """The items of a group, made and saved; one by one if something goes wrong with one of them."""
        try:
            results = self._say(group)
        except (InputError, GenerationError) as error:
            if len(group) == 1:
                return [self._failed(group[0].item, error)]
            return [finished for plan in group for finished in self._made([plan])]
        return [self._saved(plan.item, result) for plan, result in zip(group, results, strict=True)]

    def _say(self, group: Sequence[PlannedItem]) -> Sequence[Result | LongResult]:
        options, first = self._task.settings.options, group[0]
        if first.long:
            language = first.item.lang or self._task.settings.lang
            return [
                self._engine.generate_long(
                    first.text,
                    first.voice,
                    cast=self._cast,
                    seed=first.seed,
                    language=language,
                    options=options,
                )
            ]
        texts, seeds = [plan.text for plan in group], [plan.seed for plan in group]
        return self._engine.generate(texts, first.voice, seed=seeds, options=options, silent=True)

    def _saved(self, item: BatchItem, result: Result | LongResult) -> Finished:
        try:
            result.save(self._folder.folder / item.file)
        except GenerationError as error:
            return self._failed(item, error)
        return self._finished(item, state="done", seconds=round(result.duration_s, 3))

    def _failed(self, item: BatchItem, error: Exception) -> Finished:
        return self._finished(item, state="failed", error=str(error))

    def _finished(self, item: BatchItem, **facts: Any) -> Finished:
        return Finished(**item.model_dump(exclude={"line", "seed"}), seed=self._seeds[item.id], **facts)

    def _record(self, finished: list[Finished]) -> list[Finished]:
        self._folder.add(finished)
        for item in finished:
            if item.state == "done":
                self.done[item.id] = item
            else:
                self.failed.append(item)
        return finished
