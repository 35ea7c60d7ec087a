"""A long text: its chunks, their voices and seeds, and the pieces that are made of them."""

import functools
from collections.abc import AsyncGenerator, Generator, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from alrakis.config import Config
from alrakis.errors import InputError
from alrakis.long.pieces import Piece
from alrakis.long.speech import Speech
from alrakis.long.voices import Steady, SteadyVoices
from alrakis.pipeline import Pipeline
from alrakis.sampling import Options, seeds_for
from alrakis.spec import Layout
from alrakis.text.encoder import TextEncoder, check_text
from alrakis.text.pace import language_of
from alrakis.text.spelling import spelled_chunks
from alrakis.text.splitting import Chunk, check_language, split_text
from alrakis.timings import OnMove
from alrakis.voices import Voice
from alrakis.weights.types import Weights


class Planning(Protocol):
    """What planning asks of an engine: all but to speak."""

    config: Config
    weights: Weights

    @property
    def layout(self) -> Layout:
        """Ids, vocabulary sizes and rates of the weights."""

    @property
    def tokenizer(self) -> TextEncoder:
        """The weights' tokenizer."""

    def fetch(self) -> None:
        """Have what speaking needs on this machine; all that is missing is told at once."""

    def load_voice(self, voice: Any) -> Voice | None:
        """A checked voice from whatever names or holds one. Raises VoiceError."""


class LongText:
    """One long text that a pipeline is to say; arguments as `Engine.stream` has them.

    Raises InputError (or VoiceError) for what cannot be said so.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        text: str | Sequence[Chunk],
        voice: Any,
        cast: Mapping[str, Any],
        seed: int | None,
        steady: Steady,
        language: str | None,
        options: Options,
    ) -> None:
        self._pipeline = pipeline
        self._options = options
        self._language = check_language(language)
        if isinstance(text, str):
            check_text(text)
            pipeline.fetch()
            self.chunks = split_long(
                text, pipeline.tokenizer, pipeline.config, language=language, cast=list(cast), options=options
            )
        else:
            self.chunks = list(text)
        if not self.chunks:
            raise InputError("there are no chunks to say")
        self.text = text if isinstance(text, str) else " ".join(chunk.text for chunk in text)
        self._seeds = seeds_for(seed, len(self.chunks))
        given = voices_of(pipeline, voice, cast, self.chunks)
        pipeline.fetch()
        self._steady = SteadyVoices([chunk.speaker for chunk in self.chunks], given, steady)

    def say(
        self,
        *,
        begin: int | None = None,
        bounded: bool = True,
        on_move: OnMove | None = None,
        client: Hashable | None = None,
        silent: bool = True,
    ) -> Speech:
        """Begin to say it. begin, bounded, client: as `Takes` has them."""
        return Speech(
            self._pipeline,
            self.text,
            self.chunks,
            self._seeds,
            self._steady,
            self._options,
            begin=begin,
            bounded=bounded,
            on_move=on_move,
            client=client,
            silent=silent,
            language=self._language,
        )

    def pieces(self, silent: bool) -> Generator[Piece, None, None]:
        """Its pieces, from when the first is asked for; closing the generator gives up the rest."""
        with self.say(begin=1, silent=silent) as speech:
            yield from speech

    async def pieces_async(self, silent: bool) -> AsyncGenerator[Piece, None]:
        """`pieces`, for `async for`."""
        with self.say(begin=1, silent=silent) as speech:
            async for piece in speech:
                yield piece


def split_long(
    text: str,
    encoder: TextEncoder,
    config: Config,
    *,
    language: str | None = None,
    cast: Sequence[str] = (),
    options: Options | None = None,
) -> list[Chunk]:
    """The chunks of a long text, spelled as the options say. The first is short, so that sound is there soon.

    Raises InputError for a text without a word.
    """
    options = options or Options()
    language = check_language(language) or language_of(text)
    split = functools.partial(_split, encoder=encoder, config=config, language=language, cast=cast)
    return spelled_chunks(text, options, language, cast, split)


def _split(
    text: str, encoder: TextEncoder, config: Config, language: str, cast: Sequence[str]
) -> list[Chunk]:
    split = functools.partial(
        split_text, encoder=encoder, language=language, max_s=config.chunk_s, pack_s=config.pack_s
    )
    chunks = split(text, cast=cast)
    first = chunks[0]
    if first.seconds <= config.opening_s:
        return chunks
    opening, *others = split_text(first.text, encoder, language=language, max_s=config.opening_s)
    if not others:
        return chunks
    rest = split(" ".join(part.text for part in others))
    rest[-1] = replace(rest[-1], pause=first.pause)
    return [replace(part, speaker=first.speaker) for part in (opening, *rest)] + chunks[1:]


def voices_of(
    planning: Planning, voice: Any, cast: Mapping[str, Any], chunks: Sequence[Chunk]
) -> dict[str | None, Voice | None]:
    """Voices by speaker, as SteadyVoices takes them: the cast's, and `voice` for everybody else.

    Without a voice a speaker is left out (his first chunk gives it), unless the weights have one speaker.
    """
    by_speaker: dict[str | None, Voice | None] = {
        name: planning.load_voice(own) for name, own in cast.items()
    }
    default = planning.load_voice(voice)
    if default is not None or planning.layout.one_speaker:
        for chunk in chunks:
            by_speaker.setdefault(chunk.speaker, default)
    return by_speaker
