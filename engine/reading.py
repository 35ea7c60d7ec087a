"""Reading a text into a folder of work, chunk by chunk, so that it can be stopped and gone on with."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from alrakis.audio import save_pieces
from alrakis.clock import OnMove
from alrakis.engine import Engine
from alrakis.errors import GenerationError
from alrakis.long import split_long, voices_of
from alrakis.manifest import Manifest, Row, load_manifest
from alrakis.options import Options
from alrakis.pieces import join_ready, long_tags
from alrakis.sampling import FloatArray, fresh_seed, row_seeds
from alrakis.scheduler import Job, Scheduler, Spoken
from alrakis.steady import Steady, SteadyVoices, check_steady
from alrakis.voices import Voice
from alrakis.work_folder import WorkFolder

SAME_AUDIO = ("backend", "precision", "kv_cache", "max_coarse_history", "sliding_window_len", "fine_window")


@dataclass(frozen=True)
class Task:
    """What is to be read, and how; as `Engine.stream` has it."""

    text: str
    voice: Any = None
    cast: Mapping[str, Any] | None = None
    seed: int | None = None
    steady: Steady = "voice"
    language: str | None = None
    options: Options = field(default_factory=Options)


class Reading:
    """A task in a folder that is held. Raises InputError for a mistake, or a folder of another task."""

    def __init__(self, engine: Engine, task: Task, folder: WorkFolder) -> None:
        check_steady(task.steady)
        self._engine = engine
        self._task = task
        self._folder = folder
        cast = task.cast or {}
        self.chunks = split_long(
            task.text, engine.tokenizer, engine.config, language=task.language, cast=list(cast)
        )
        self._given = voices_of(engine, task.voice, cast, self.chunks)
        self.manifest = folder.agree(self._wanted(self._seed()))

    def _seed(self) -> int:
        """The seed asked for, else that of the manifest there is, else a fresh one."""
        if self._task.seed is not None:
            return self._task.seed
        found = load_manifest(self._folder.folder)
        before = found.settings.get("seed") if found else None
        return before if isinstance(before, int) else fresh_seed()

    def _wanted(self, seed: int) -> Manifest:
        """The manifest as it begins."""
        config, task = self._engine.config, self._task
        settings = {
            "weights": self._engine.weights.name,
            **{key: getattr(config, key) for key in SAME_AUDIO},
            "voice": _shown_voice(self._engine.load_voice(task.voice)),
            "cast": {
                name: _shown_voice(self._engine.load_voice(one)) for name, one in (task.cast or {}).items()
            },
            "steady": task.steady,
            "seed": seed,
            **asdict(task.options),
        }
        rows = [
            Row(chunk=i + 1, text=chunk.text, pause=chunk.pause, speaker=chunk.speaker, seed=own)
            for i, (chunk, own) in enumerate(zip(self.chunks, row_seeds(seed, len(self.chunks)), strict=True))
        ]
        return Manifest(settings=settings, chunks=rows)

    def redo(self, numbers: Sequence[int]) -> None:
        """Ask for chunks anew, with another seed each. Raises InputError for a number that is not there."""
        rows = [self.manifest.row(number) for number in dict.fromkeys(numbers)]
        self._folder.kept_voices(self.manifest)
        for row in rows:
            row.seed, row.state, row.seconds = fresh_seed(), "waiting", 0.0
            row.takes += 1
        if rows:
            self.manifest.save(self._folder.folder)

    def make(self, *, on_move: OnMove | None = None, rows: int | None = None) -> Iterator[Row]:
        """Make what is still to be made; a row as soon as its files are there, not always in order.

        rows: of the first batch, if this is the beginning.
        """
        scheduler = Scheduler(
            self._engine,
            [_job(row) for row in self.manifest.chunks if row.state == "waiting"],
            self._steady_voices(),
            self._task.options,
            max_batch=self._engine.config.max_batch,
            rows=self.manifest.rows or rows,
            pool=[
                Spoken(_job(row), self._folder.semantic(row))
                for row in self.manifest.chunks
                if row.state == "spoken"
            ],
            on_move=on_move,
        )
        for step in scheduler.steps():
            yield from self._folder.save_step(self.manifest, step)

    def _steady_voices(self) -> SteadyVoices:
        given = self._given
        if self._task.steady == "voice":
            given = {**self._folder.kept_voices(self.manifest), **given}
        return SteadyVoices(
            [row.speaker for row in self.manifest.chunks],
            given,
            self._task.steady,
            done=[row.chunk - 1 for row in self.manifest.chunks if row.state in ("done", "silent")],
            recall=lambda index: self._folder.chunk_voice(self.manifest.chunks[index]),
        )

    def finished_s(self) -> dict[int, float]:
        """Seconds of the chunks that are there, by their number from 0."""
        return {row.chunk - 1: row.seconds for row in self.manifest.chunks if row.state in ("done", "silent")}

    def audio(self, row: Row) -> FloatArray:
        """A chunk that is done, as it stands in the joined audio; empty if it is silent."""
        chunk = self.chunks[row.chunk - 1]
        return join_ready(self._folder.audio(row), chunk, self.sample_rate_hz, self._engine.config)

    @property
    def sample_rate_hz(self) -> int:
        return self._engine.layout.sample_rate_hz

    def join(self, output: str) -> float:
        """Write all chunks into one audio file; gives its seconds. GenerationError if all are silent."""
        length = 0

        def pieces() -> Iterator[FloatArray]:
            nonlocal length
            for row in self.manifest.chunks:
                audio = self.audio(row)
                length += len(audio)
                yield audio

        if all(row.state == "silent" for row in self.manifest.chunks):
            raise GenerationError("no speech was made for any part of the text; try another --seed")
        save_pieces(output, pieces(), self.sample_rate_hz, self._tags())
        return length / self.sample_rate_hz

    def _tags(self) -> dict[str, str]:
        made_with = {
            "seed": str(self.manifest.settings["seed"]),
            "voice": self.manifest.chunks[0].voice or "",
            "weights": self._engine.weights.name,
            "config": self._engine.config.name,
        }
        return long_tags(self._task.text, made_with)


def _job(row: Row) -> Job:
    return Job(row.chunk - 1, row.text, row.seed)


def _shown_voice(voice: Voice | None) -> str | None:
    """A voice's name, and a digest of what it holds."""
    if voice is None:
        return None
    digest = hashlib.sha256(b"".join(part.tobytes() for part in (voice.semantic, voice.coarse, voice.fine)))
    return f"{voice.name} ({digest.hexdigest()[:8]})"
