"""Many texts, an audio file each: the rows of a batch grouped so that few, full batches run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from alrakis.batch_folder import BatchFolder, Finished
from alrakis.engine import Engine
from alrakis.errors import GenerationError, InputError
from alrakis.options import Options
from alrakis.pieces import LongResult
from alrakis.reading import SAME_AUDIO
from alrakis.result import Result
from alrakis.rows import TextRow
from alrakis.sampling import fresh_seed, row_seeds
from alrakis.splitting import split_text
from alrakis.voices import Voice


@dataclass(frozen=True)
class BatchTask:
    """What is to be said, and how: for all rows, unless a row says otherwise for itself."""

    rows: Sequence[TextRow]
    voice: str | None = None
    cast: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    language: str | None = None
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, eq=False)
class Job:
    """A row with all that it needs. long: is said in several chunks, as `Engine.generate_long` does."""

    row: TextRow
    text: str
    long: bool
    seed: int
    voice: Voice | None
    seconds: float


def grouped(jobs: Sequence[Job], max_batch: int) -> Iterator[list[Job]]:
    """Jobs of one voice and of like length that run as a batch, short ones first; a long one alone."""
    by_voice: dict[int, list[Job]] = {}
    for job in jobs:
        if not job.long:
            by_voice.setdefault(id(job.voice), []).append(job)
    for same in by_voice.values():
        same.sort(key=lambda job: job.seconds)
        for first in range(0, len(same), max_batch):
            yield same[first : first + max_batch]
    yield from ([job] for job in jobs if job.long)


class Batch:
    """A task in a folder that is held. Raises InputError for a mistake, or a folder of another task."""

    def __init__(self, engine: Engine, task: BatchTask, folder: BatchFolder) -> None:
        self._engine = engine
        self._task = task
        self._folder = folder
        before = folder.base_seed()
        seed = next(one for one in (task.seed, before, fresh_seed()) if one is not None)
        self._seeds = {
            row.id: own if row.seed is None else row.seed
            for row, own in zip(task.rows, row_seeds(seed, len(task.rows)), strict=True)
        }
        self._voices: dict[str | None, Voice | None] = {}
        self._cast = {name: self._voice(voice) for name, voice in task.cast.items()}
        self._voice(task.voice)
        self.done = folder.begin(self._settings(seed), task.rows)
        self.failed: list[Finished] = []

    def _settings(self, seed: int) -> dict[str, Any]:
        config, task = self._engine.config, self._task
        return {
            "weights": self._engine.weights.name,
            **{key: getattr(config, key) for key in SAME_AUDIO},
            "voice": task.voice,
            "cast": dict(task.cast),
            "seed": seed,
            "lang": task.language,
            **asdict(task.options),
        }

    def make(self) -> Iterator[list[Finished]]:
        """Make what is still to be made, a batch at a time: its rows when they are written down.

        Raises OutputError when files cannot be written.
        """
        jobs = []
        for row in self._task.rows:
            if row.id in self.done:
                continue
            try:
                jobs.append(self._job(row))
            except InputError as error:
                yield self._record([self._failed(row, error)])
        for group in grouped(jobs, self._engine.config.max_batch):
            yield self._record(self._made(group))

    def _job(self, row: TextRow) -> Job:
        """Raises InputError if the row cannot be said."""
        chunks = split_text(
            row.text,
            self._engine.tokenizer,
            language=row.lang or self._task.language,
            max_s=self._engine.config.chunk_s,
            cast=self._cast,
        )
        voice = self._voice(row.voice or self._task.voice)
        seconds = sum(chunk.seconds for chunk in chunks)
        if len(chunks) > 1:
            return Job(row, row.text, True, self._seeds[row.id], voice, seconds)
        (only,) = chunks
        if only.speaker in self._cast:
            voice = self._cast[only.speaker]
        return Job(row, only.text, False, self._seeds[row.id], voice, seconds)

    def _voice(self, name: str | None) -> Voice | None:
        if name not in self._voices:
            self._voices[name] = self._engine.load_voice(name)
        return self._voices[name]

    def _made(self, group: Sequence[Job]) -> list[Finished]:
        """The rows of a group, made and saved; one by one if something goes wrong with one of them."""
        try:
            results = self._say(group)
        except (InputError, GenerationError) as error:
            if len(group) == 1:
                return [self._failed(group[0].row, error)]
            return [row for job in group for row in self._made([job])]
        return [self._saved(job, result) for job, result in zip(group, results, strict=True)]

    def _say(self, group: Sequence[Job]) -> Sequence[Result | LongResult]:
        options = asdict(self._task.options)
        first = group[0]
        if first.long:
            language = first.row.lang or self._task.language
            return [
                self._engine.generate_long(
                    first.text, first.voice, cast=self._cast, seed=first.seed, language=language, **options
                )
            ]
        texts, seeds = [job.text for job in group], [job.seed for job in group]
        return self._engine.generate(texts, first.voice, seed=seeds, silent=True, **options)

    def _saved(self, job: Job, result: Result | LongResult) -> Finished:
        try:
            result.save(self._folder.folder / job.row.file)
        except GenerationError as error:
            return self._failed(job.row, error)
        return self._finished(job.row, state="done", seconds=round(result.duration_s, 3))

    def _failed(self, row: TextRow, error: Exception) -> Finished:
        return self._finished(row, state="failed", error=str(error))

    def _finished(self, row: TextRow, **facts: Any) -> Finished:
        return Finished(**row.model_dump(exclude={"line", "seed"}), seed=self._seeds[row.id], **facts)

    def _record(self, finished: list[Finished]) -> list[Finished]:
        self._folder.add(finished)
        for one in finished:
            if one.state == "done":
                self.done[one.id] = one
            else:
                self.failed.append(one)
        return finished
