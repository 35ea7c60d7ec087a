"""Reading a text into a folder of work, chunk by chunk, so that it can be stopped and gone on with."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import Any

from alrakis.audio import save_pieces
from alrakis.books.book import Book, Chapter, parse_chapters
from alrakis.errors import GenerationError, InputError
from alrakis.jobs.reading_folder import ReadingFolder, voice_digest
from alrakis.jobs.reading_manifest import ChunkState, Manifest
from alrakis.jobs.reading_output import Output
from alrakis.jobs.reading_revision import Revision, revised
from alrakis.jobs.settings import (
    Asked,
    JobSettings,
    job_settings,
    setting_differences,
    weights_difference,
)
from alrakis.long.cues import Align, CueTrack
from alrakis.long.pieces import join_ready, long_tags
from alrakis.long.takes import EngineSpeaker, Speaker, Take, Takes
from alrakis.long.text import Planning, split_long, voices_of
from alrakis.long.voices import SteadyVoices
from alrakis.marks.subtitles import save_subtitles
from alrakis.result import Result
from alrakis.sampling import FloatArray, fresh_seed
from alrakis.text.splitting import Chunk
from alrakis.timings import OnMove
from alrakis.voices import Voice

# What may change: it decides how the text is cut and spelled, and chunks are known by their text.
RECUT = ("lang", "lexicon", "normalise", "takes", "until")


MakeSpeaker = Callable[[Any, JobSettings], Speaker]

logger = logging.getLogger("alrakis")


def _speaker_here(engine: Any, settings: JobSettings) -> Speaker:
    return EngineSpeaker(engine)


class Reading:
    """A text in a folder that is held, begun or gone on with; `asked` need not say again what it was.

    Nothing is written before `make`. engine: it speaks, unless `speaker` makes who else does. text: a book
    has chapters. chapters: those that are made and joined, such as `3-5`; all if None. revision: what the
    text as it is now makes of the chunks that are there; None if it begins.
    Raises InputError for a mistake, or for other settings than those it was begun with.
    """

    def __init__(
        self,
        engine: Planning,
        text: str | Book,
        asked: Asked,
        folder: ReadingFolder,
        chapters: str | None = None,
        speaker: MakeSpeaker | None = None,
    ) -> None:
        self._engine = engine
        self._speaker: MakeSpeaker = speaker or _speaker_here
        self._book = text if isinstance(text, Book) else Book([Chapter("", text)])
        self.chapters = parse_chapters(chapters, len(self._book.chapters))
        self._folder = folder
        found = folder.load()
        before = found.settings if found else None
        folder.refuse(weights_difference(before, engine) if before else [])
        voice = self._voice(found, asked.voice, before.voice if before else None)
        cast = self._cast(found, asked.cast)
        names = {who: own.name for who, own in cast.items()}
        self._settings = job_settings(engine, asked, before, voice.name if voice else None, names)
        if speaker and self._settings.steady == "chain":
            raise InputError("with steady = chain one chunk is made at a time: leave --ray out")
        if before:
            folder.refuse(list(setting_differences(before, self._settings, RECUT)))
        if found is None or found.unfinished:
            engine.fetch()
        self.chunks = self._split(list(cast))
        self._given = voices_of(engine, voice, cast, self.chunks)
        self._voices = {own.name: own for own in (voice, *cast.values()) if own}
        self.manifest, self.revision = self._agree(found)

    def _split(self, cast: Sequence[str]) -> list[Chunk]:
        """The chunks of all chapters; a scene's pause follows each chapter."""
        chunks: list[Chunk] = []
        for number, chapter in enumerate(self._book.chapters, 1):
            own = split_long(
                chapter.text,
                self._engine.tokenizer,
                self._engine.config,
                language=self._settings.lang,
                cast=cast,
                options=self._settings.options,
            )
            chunks[-1:] = [replace(chunk, pause="scene") for chunk in chunks[-1:]]
            chunks += [replace(chunk, chapter=number) for chunk in own]
        return chunks

    def _voice(self, found: Manifest | None, asked: object, name: str | None) -> Voice | None:
        """The voice asked for, else that of this name, as it was when the work began."""
        if asked is not None or name is None or found is None:
            return self._engine.load_voice(asked)
        return self._folder.given_voice(found, name, self._engine.layout) or self._engine.load_voice(name)

    def _cast(self, found: Manifest | None, asked: Mapping[str, object]) -> dict[str, Voice]:
        names = {} if asked or found is None else found.settings.cast
        voices = {who: self._voice(None, own, None) for who, own in asked.items()}
        voices |= {who: self._voice(found, None, name) for who, name in names.items()}
        return {who: voice for who, voice in voices.items() if voice is not None}

    def _agree(self, found: Manifest | None) -> tuple[Manifest, Revision | None]:
        """The manifest to go on with, and what becomes of the chunks that were found."""
        digests = {name: voice_digest(voice) for name, voice in self._voices.items()}
        seed = self._settings.seed
        if found is None:
            begun = revised([], [], self.chunks, seed).chunks
            manifest, revision = Manifest(settings=self._settings, voices=digests, chunks=begun), None
            manifest.chapters = self._titles
        else:
            self._folder.refuse(
                [
                    f"the voice {name!r} holds something else now"
                    for name, digest in digests.items()
                    if found.voices.get(name, digest) != digest
                ]
            )
            revision = revised(found.chunks, found.former, self.chunks, seed)
            made: dict[str, Any] = {"settings": self._settings, "chapters": self._titles}
            made |= {"chunks": revision.chunks, "former": revision.former}
            manifest = found.model_copy(update={**made, "voices": found.voices | digests})
        return manifest, revision

    def choose(self, takes: Mapping[int, int]) -> None:
        """Let other takes of chunks be heard. Raises InputError for what is not there."""
        for chunk, take in takes.items():
            self.manifest.choose(chunk, take)

    def redo(self, numbers: Sequence[int]) -> None:
        """Ask for chunks anew, with another seed each. Raises InputError for a number that is not there.

        A take that was asked for and is not made yet is not asked for again.
        """
        chunks = [self.manifest.chunk(number) for number in dict.fromkeys(numbers)]
        for chunk in chunks:
            if chunk.chosen.state not in ("waiting", "spoken"):
                chunk.add(fresh_seed())

    def make(self, *, on_move: OnMove | None = None, begin: int | None = None) -> Iterator[ChunkState]:
        """Make what is still to be made; a chunk as soon as its files are there, not always in order.

        From here on the folder is of this work: what was asked for is written down, and then what stages have
        made, as it comes. begin: how many chunks are under way at first.
        """
        self._folder.save_voices(self._voices.values())
        self.manifest.save(self._folder.folder)
        unfinished = [chunk for chunk in self.wanted if not chunk.chosen.finished]
        events: SimpleQueue[tuple[Take, Any]] = SimpleQueue()
        takes = Takes(
            self._speaker(self._engine, self._settings),
            [self._take(chunk) for chunk in unfinished],
            self._steady_voices(),
            self._settings.options,
            lambda take, made: events.put((take, made)),
            told=lambda take, stage, tokens: events.put((take, (stage, tokens))),
            begin=begin,
            on_move=on_move,
            language=self._settings.lang,
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
        return Take(chunk.chunk - 1, chunk.chosen.text, chunk.chosen.seed, known, chunk.written)

    def _steady_voices(self) -> SteadyVoices:
        given = self._given
        if self._settings.steady == "voice":
            given = {**self._folder.kept_voices(self.manifest, self._engine.layout), **given}
        return SteadyVoices(
            [chunk.speaker for chunk in self.manifest.chunks],
            given,
            self._settings.steady,
            done=[
                chunk.chunk - 1
                for chunk in self.manifest.chunks
                if chunk.chosen.finished or chunk.chapter not in self.chapters
            ],
            recall=lambda index: self._folder.chunk_voice(self.manifest.chunks[index], self._engine.layout),
        )

    def finished_s(self) -> dict[int, float]:
        """Seconds of the chunks that are there, by their number from 0."""
        return {chunk.chunk - 1: chunk.chosen.seconds for chunk in self.wanted if chunk.chosen.finished}

    @property
    def wanted(self) -> list[ChunkState]:
        """The chunks of the chapters that are made and joined."""
        return [chunk for chunk in self.manifest.chunks if chunk.chapter in self.chapters]

    def doubtful(self, bound: float) -> Iterator[tuple[ChunkState, dict[str, Any]]]:
        """The chunks whose best take has an error over a bound, with its scores."""
        for chunk in self.wanted:
            scores = chunk.chosen.scores
            best = next((score for score in scores if score["seed"] == chunk.chosen.seed), None)
            if best is not None and best["error"] > bound:
                yield chunk, best

    @property
    def _titles(self) -> list[str]:
        return [chapter.title for chapter in self._book.chapters]

    def audio(self, chunk: ChunkState) -> FloatArray:
        """A chunk that is done, as it stands in the joined audio; empty if it is silent."""
        audio = self._folder.audio(chunk)
        return join_ready(audio, self.chunks[chunk.chunk - 1], self.sample_rate_hz, self._engine.config)

    @property
    def speaks(self) -> bool:
        """Whether any chunk has a sound."""
        return any(chunk.chosen.state == "done" for chunk in self.wanted)

    @property
    def sample_rate_hz(self) -> int:
        return self._engine.layout.sample_rate_hz

    def join(self, output: str | Output, subtitles: str | None = None, align: Align | None = None) -> float:
        """Write chunks into one audio file; gives its seconds, 0 where none of its chunks has a sound.

        A file of several chapters has marks where they begin. subtitles: a path that they are written to,
        too. align: finds each word's time. Raises GenerationError if no sound was made.
        """
        if not self.speaks:
            raise GenerationError("no speech was made for any part of the text; try another --seed")
        target = output if isinstance(output, Output) else Output(output, self.chapters)
        chunks = [chunk for chunk in self.wanted if chunk.chapter in target.chapters]
        if not any(chunk.chosen.state == "done" for chunk in chunks):
            return 0.0
        length = 0
        track = CueTrack(self.sample_rate_hz, align)

        def pieces() -> Iterator[FloatArray]:
            nonlocal length
            for chunk in chunks:
                audio = self.audio(chunk)
                length += len(audio)
                if subtitles is not None:
                    track.add(self.chunks[chunk.chunk - 1], audio)
                yield audio

        chapters: list[tuple[int, str]] = []
        if len(target.chapters) > 1:
            firsts = {chunk.chapter: index for index, chunk in reversed(list(enumerate(chunks)))}
            chapters = [(index, self._titles[number - 1]) for number, index in sorted(firsts.items())]
        tags = self._tags(target.chapters)
        save_pieces(target.path, pieces(), self.sample_rate_hz, tags, chapters, self._book.cover)
        if subtitles is not None:
            save_subtitles(subtitles, track.cues)
        return length / self.sample_rate_hz

    def _tags(self, chapters: range) -> dict[str, str]:
        book = self._book
        text = "\n\n".join(book.chapters[number - 1].text for number in chapters)
        made_with = {
            "seed": str(self._settings.seed),
            "voice": self.manifest.chunks[0].chosen.voice or "",
            "weights": self._engine.weights.name,
            "config": self._engine.config.name,
        }
        one = book.chapters[chapters[0] - 1].title if len(chapters) == 1 < len(book.chapters) else ""
        named = {"title": one or book.title, "album": book.title if one else "", "artist": book.author}
        return long_tags(text, made_with) | {key: value for key, value in named.items() if value}
