"""Reading a text into a folder of work, chunk by chunk, so that it can be stopped and gone on with."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

from alrakis.audio import save_pieces
from alrakis.engine import Engine
from alrakis.errors import GenerationError, InputError
from alrakis.jobs.reading_folder import ReadingFolder
from alrakis.jobs.reading_manifest import ChunkState, Manifest
from alrakis.jobs.reading_revision import Revision, revised
from alrakis.jobs.settings import Asked, job_settings, setting_differences
from alrakis.long.pieces import join_ready, long_tags
from alrakis.long.takes import Take, Takes
from alrakis.long.text import split_long, voices_of
from alrakis.long.voices import SteadyVoices
from alrakis.result import Result
from alrakis.sampling import FloatArray, fresh_seed
from alrakis.timings import OnMove
from alrakis.voices import Voice

RECUT = ("lang",)  # what may change: it decides where the text is cut, and chunks are known by their text


logger = logging.getLogger("alrakis")


class Reading:
    """A text in a folder that is held, begun or gone on with; `asked` need not say again what it was.

    revision: what the text as it is now makes of the chunks that are there; None if it begins.
    Raises InputError for a mistake, or for other settings than those it was begun with.
    """

    def __init__(self, engine: Engine, text: str, asked: Asked, folder: ReadingFolder) -> None:
        self._engine = engine
        self._text = text
        self._folder = folder
        found = folder.load()
        before = found.settings if found else None
        voice = self._voice(found, asked.voice, before.voice if before else None)
        cast = self._cast(found, asked.cast)
        names = {who: own.name for who, own in cast.items()}
        self._settings = job_settings(engine, asked, before, voice.name if voice else None, names)
        if before:
            folder.refuse(list(setting_differences(before, self._settings, RECUT)))
        self.chunks = split_long(
            text, engine.tokenizer, engine.config, language=self._settings.lang, cast=list(cast)
        )
        self._given = voices_of(engine, voice, cast, self.chunks)
        self.manifest, self.revision = self._agree(found, [own for own in (voice, *cast.values()) if own])

    def _voice(self, found: Manifest | None, asked: object, name: str | None) -> Voice | None:
        """The voice asked for, else that of this name, as it was when the work began."""
        if asked is not None or name is None or found is None:
            return self._engine.load_voice(asked)
        return self._folder.given_voice(found, name) or self._engine.load_voice(name)

    def _cast(self, found: Manifest | None, asked: Mapping[str, object]) -> dict[str, Voice]:
        names = {} if asked or found is None else found.settings.cast
        voices = {who: self._voice(None, own, None) for who, own in asked.items()}
        voices |= {who: self._voice(found, None, name) for who, name in names.items()}
        return {who: voice for who, voice in voices.items() if voice is not None}

    def _agree(self, found: Manifest | None, voices: Sequence[Voice]) -> tuple[Manifest, Revision | None]:
        """The manifest to go on with, written down; and what becomes of the chunks that were found."""
        digests = self._folder.save_voices({voice.name: voice for voice in voices})
        seed = self._settings.seed
        if found is None:
            begun = revised([], [], self.chunks, seed).chunks
            manifest, revision = Manifest(settings=self._settings, voices=digests, chunks=begun), None
        else:
            self._folder.refuse(
                [
                    f"the voice {name!r} holds something else now"
                    for name, digest in digests.items()
                    if found.voices.get(name, digest) != digest
                ]
            )
            revision = revised(found.chunks, found.former, self.chunks, seed)
            made = {"settings": self._settings, "chunks": revision.chunks, "former": revision.former}
            manifest = found.model_copy(update={**made, "voices": found.voices | digests})
        manifest.save(self._folder.folder)
        return manifest, revision

    def choose(self, takes: Mapping[int, int]) -> None:
        """Let other takes of chunks be heard. Raises InputError for what is not there."""
        for chunk, take in takes.items():
            self.manifest.choose(chunk, take)
        if takes:
            self.manifest.save(self._folder.folder)

    def redo(self, numbers: Sequence[int]) -> None:
        """Ask for chunks anew, with another seed each. Raises InputError for a number that is not there.

        A take that was asked for and is not made yet is not asked for again.
        """
        chunks = [self.manifest.chunk(number) for number in dict.fromkeys(numbers)]
        for chunk in chunks:
            if chunk.chosen.state not in ("waiting", "spoken"):
                chunk.add(fresh_seed())
        if chunks:
            self.manifest.save(self._folder.folder)

    def make(self, *, on_move: OnMove | None = None, begin: int | None = None) -> Iterator[ChunkState]:
        """Make what is still to be made; a chunk as soon as its files are there, not always in order.

        What stages have made is written down as it comes. begin: how many chunks are under way at first.
        """
        unfinished = self.manifest.unfinished
        events: SimpleQueue[tuple[Take, Any]] = SimpleQueue()
        takes = Takes(
            self._engine,
            [self._take(chunk) for chunk in unfinished],
            self._steady_voices(),
            self._settings.options,
            lambda take, made: events.put((take, made)),
            told=lambda take, stage, tokens: events.put((take, (stage, tokens))),
            begin=begin,
            on_move=on_move,
        )
        left = len(unfinished)
        try:
            takes.start()
            while left:
                take, made = events.get()
                chunk = self.manifest.chunks[take.index]
                if isinstance(made, tuple):
                    self._folder.save_tokens(self.manifest, chunk, *made)
                    continue
                left -= 1
                self._save(chunk, made)
                takes.taken()
                yield chunk
        finally:
            takes.cancel()

    def _save(self, chunk: ChunkState, made: Any) -> None:
        """Write down what came of a chunk: its result, or why it cannot be said. Raises other errors."""
        if isinstance(made, Result):
            self._folder.save_result(self.manifest, chunk, made)
        elif isinstance(made, (InputError, GenerationError)):
            self._folder.save_failure(self.manifest, chunk, made)
        else:
            raise made

    def _take(self, chunk: ChunkState) -> Take:
        """A chunk's take, with what stages have made of it; what is damaged is made again."""
        try:
            known = self._folder.known(chunk.chosen, self._engine.layout)
        except (OSError, ValueError) as error:
            logger.warning("chunk %d is made again: its tokens are damaged (%s)", chunk.chunk, error)
            chunk.chosen.state, known = "waiting", None
        return Take(chunk.chunk - 1, chunk.chosen.text, chunk.chosen.seed, known)

    def _steady_voices(self) -> SteadyVoices:
        given = self._given
        if self._settings.steady == "voice":
            given = {**self._folder.kept_voices(self.manifest), **given}
        return SteadyVoices(
            [chunk.speaker for chunk in self.manifest.chunks],
            given,
            self._settings.steady,
            done=[chunk.chunk - 1 for chunk in self.manifest.chunks if chunk.chosen.finished],
            recall=lambda index: self._folder.chunk_voice(self.manifest.chunks[index]),
        )

    def finished_s(self) -> dict[int, float]:
        """Seconds of the chunks that are there, by their number from 0."""
        return {
            chunk.chunk - 1: chunk.chosen.seconds for chunk in self.manifest.chunks if chunk.chosen.finished
        }

    def audio(self, chunk: ChunkState) -> FloatArray:
        """A chunk that is done, as it stands in the joined audio; empty if it is silent."""
        audio = self._folder.audio(chunk)
        return join_ready(audio, self.chunks[chunk.chunk - 1], self.sample_rate_hz, self._engine.config)

    @property
    def speaks(self) -> bool:
        """Whether any chunk has a sound."""
        return any(chunk.chosen.state == "done" for chunk in self.manifest.chunks)

    @property
    def sample_rate_hz(self) -> int:
        return self._engine.layout.sample_rate_hz

    def join(self, output: str) -> float:
        """Write all chunks into one audio file; gives its seconds. GenerationError if no sound was made."""
        length = 0

        def pieces() -> Iterator[FloatArray]:
            nonlocal length
            for chunk in self.manifest.chunks:
                audio = self.audio(chunk)
                length += len(audio)
                yield audio

        if not self.speaks:
            raise GenerationError("no speech was made for any part of the text; try another --seed")
        save_pieces(output, pieces(), self.sample_rate_hz, self._tags())
        return length / self.sample_rate_hz

    def _tags(self) -> dict[str, str]:
        made_with = {
            "seed": str(self._settings.seed),
            "voice": self.manifest.chunks[0].chosen.voice or "",
            "weights": self._engine.weights.name,
            "config": self._engine.config.name,
        }
        return long_tags(self._text, made_with)
