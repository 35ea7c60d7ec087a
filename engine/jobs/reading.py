"""Reading a text into a folder of work, chunk by chunk, so that it can be stopped and gone on with."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alrakis.audio import save_pieces
from alrakis.engine import Engine
from alrakis.errors import GenerationError
from alrakis.jobs.reading_folder import ReadingFolder
from alrakis.jobs.reading_manifest import ChunkState, Manifest, load_manifest
from alrakis.jobs.settings import job_seed, job_settings
from alrakis.long.pieces import join_ready, long_tags
from alrakis.long.scheduler import Scheduler, Spoken, Take
from alrakis.long.text import split_long, voices_of
from alrakis.long.voices import Steady, SteadyVoices, check_steady
from alrakis.sampling import FloatArray, Options, fresh_seed, seeds_for
from alrakis.timings import OnMove


@dataclass(frozen=True)
class ReadingTask:
    """What is to be read, and how; as `Engine.stream` has it."""

    text: str
    voice: Any = None
    cast: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    steady: Steady = "voice"
    language: str | None = None
    options: Options = field(default_factory=Options)


class Reading:
    """A task in a folder that is held. Raises InputError for a mistake, or a folder of another task."""

    def __init__(self, engine: Engine, task: ReadingTask, folder: ReadingFolder) -> None:
        check_steady(task.steady)
        self._engine = engine
        self._task = task
        self._folder = folder
        self.chunks = split_long(
            task.text, engine.tokenizer, engine.config, language=task.language, cast=list(task.cast)
        )
        self._given = voices_of(engine, task.voice, task.cast, self.chunks)
        self.manifest = folder.agree(self._wanted())

    def _wanted(self) -> Manifest:
        """The manifest as it begins."""
        task, found = self._task, load_manifest(self._folder.folder)
        seed = job_seed(task.seed, found.settings if found else None)
        settings = job_settings(
            self._engine,
            task.options,
            voice=self._shown_voice(task.voice),
            cast={name: self._shown_voice(voice) for name, voice in task.cast.items()},
            steady=task.steady,
            seed=seed,
        )
        seeds = seeds_for(seed, len(self.chunks))
        chunks = [
            ChunkState(chunk=i, text=chunk.text, pause=chunk.pause, speaker=chunk.speaker, seed=own)
            for i, (chunk, own) in enumerate(zip(self.chunks, seeds, strict=True), 1)
        ]
        return Manifest(settings=settings, chunks=chunks)

    def _shown_voice(self, voice: Any) -> str | None:
        """A voice's name, and a digest of what it holds."""
        loaded = self._engine.load_voice(voice)
        if loaded is None:
            return None
        held = b"".join(part.tobytes() for part in (loaded.semantic, loaded.coarse, loaded.fine))
        return f"{loaded.name} ({hashlib.sha256(held).hexdigest()[:8]})"

    def redo(self, numbers: Sequence[int]) -> None:
        """Ask for chunks anew, with another seed each. Raises InputError for a number that is not there."""
        chunks = [self.manifest.chunk(number) for number in dict.fromkeys(numbers)]
        self._folder.kept_voices(self.manifest)
        for chunk in chunks:
            chunk.seed, chunk.state, chunk.seconds = fresh_seed(), "waiting", 0.0
            chunk.takes += 1
        if chunks:
            self.manifest.save(self._folder.folder)

    def make(self, *, on_move: OnMove | None = None, batch: int | None = None) -> Iterator[ChunkState]:
        """Make what is still to be made; a chunk as soon as its files are there, not always in order.

        batch: how many chunks the first batch has, if this is the beginning.
        """
        waiting = [chunk for chunk in self.manifest.chunks if chunk.state == "waiting"]
        spoken = [chunk for chunk in self.manifest.chunks if chunk.state == "spoken"]
        scheduler = Scheduler(
            self._engine,
            [_take(chunk) for chunk in waiting],
            self._steady_voices(),
            self._task.options,
            batch=self.manifest.next_batch or batch,
            pool=[Spoken(_take(chunk), self._folder.semantic(chunk)) for chunk in spoken],
            on_move=on_move,
        )
        for step in scheduler.steps():
            yield from self._folder.save_step(self.manifest, step)

    def _steady_voices(self) -> SteadyVoices:
        given = self._given
        if self._task.steady == "voice":
            given = {**self._folder.kept_voices(self.manifest), **given}
        return SteadyVoices(
            [chunk.speaker for chunk in self.manifest.chunks],
            given,
            self._task.steady,
            done=[chunk.chunk - 1 for chunk in self.manifest.chunks if chunk.state in ("done", "silent")],
            recall=lambda index: self._folder.chunk_voice(self.manifest.chunks[index]),
        )

    def finished_s(self) -> dict[int, float]:
        """Seconds of the chunks that are there, by their number from 0."""
        return {
            chunk.chunk - 1: chunk.seconds
            for chunk in self.manifest.chunks
            if chunk.state in ("done", "silent")
        }

    def audio(self, chunk: ChunkState) -> FloatArray:
        """A chunk that is done, as it stands in the joined audio; empty if it is silent."""
        audio = self._folder.audio(chunk)
        return join_ready(audio, self.chunks[chunk.chunk - 1], self.sample_rate_hz, self._engine.config)

    @property
    def sample_rate_hz(self) -> int:
        return self._engine.layout.sample_rate_hz

    def join(self, output: str) -> float:
        """Write all chunks into one audio file; gives its seconds. GenerationError if all are silent."""
        length = 0

        def pieces() -> Iterator[FloatArray]:
            nonlocal length
            for chunk in self.manifest.chunks:
                audio = self.audio(chunk)
                length += len(audio)
                yield audio

        if all(chunk.state == "silent" for chunk in self.manifest.chunks):
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


def _take(chunk: ChunkState) -> Take:
    return Take(chunk.chunk - 1, chunk.text, chunk.seed)
