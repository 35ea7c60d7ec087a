"""A long text: its chunks, their voices and seeds, and the pieces that are made of them."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from alrakis.clock import OnMove
from alrakis.config import Config
from alrakis.errors import InputError
from alrakis.options import Options
from alrakis.pieces import Piece, in_order
from alrakis.sampling import row_seeds
from alrakis.scheduler import Job, Scheduler, Stages
from alrakis.steady import Steady, SteadyVoices
from alrakis.voices import Voice
from alrakis.weights.types import TextEncoder

if TYPE_CHECKING:
    from alrakis.splitting import Chunk


class LongEngine(Stages, Protocol):
    """What a long text needs of an Engine."""

    config: Config

    @property
    def one_speaker(self) -> bool: ...

    @property
    def tokenizer(self) -> TextEncoder: ...

    def load_voice(self, voice: Any) -> Voice | None: ...


class LongText:
    """One long text that an engine is to say; arguments as `Engine.stream` has them.

    Raises InputError (or VoiceError) for what cannot be said so.
    """

    def __init__(
        self,
        engine: LongEngine,
        text: "str | Sequence[Chunk]",
        voice: Any,
        cast: Mapping[str, Any],
        seed: int | None,
        steady: Steady,
        language: str | None,
        options: dict[str, Any],
    ) -> None:
        self._engine = engine
        self._silent = options.pop("silent", True)
        self._options = Options(**options)
        if isinstance(text, str):
            self.chunks = split_long(
                text, engine.tokenizer, engine.config, language=language, cast=list(cast)
            )
        else:
            self.chunks = list(text)
        if not self.chunks:
            raise InputError("there are no chunks to say")
        self.text = text if isinstance(text, str) else " ".join(chunk.text for chunk in text)
        self._seeds = row_seeds(seed, len(self.chunks))
        given = voices_of(engine, voice, cast, self.chunks)
        self._steady = SteadyVoices([chunk.speaker for chunk in self.chunks], given, steady)

    def pieces(self, *, rows: int | None = None, on_move: OnMove | None = None) -> Iterator[Piece]:
        """The text's pieces in order, made while they are taken; once only. rows: of the first batch."""
        config = self._engine.config
        jobs = [Job(i, chunk.text, self._seeds[i]) for i, chunk in enumerate(self.chunks)]
        scheduler = Scheduler(
            self._engine,
            jobs,
            self._steady,
            self._options,
            max_batch=config.max_batch,
            rows=rows,
            on_move=on_move,
            silent=self._silent,
        )
        return in_order(scheduler.results(), self.chunks, config)


def split_long(
    text: str,
    encoder: TextEncoder,
    config: Config,
    *,
    language: str | None = None,
    cast: Sequence[str] = (),
) -> "list[Chunk]":
    """The chunks of a long text. The first is short, so that sound is there soon.

    Raises InputError for a text without a word.
    """
    from alrakis.pace import language_of
    from alrakis.splitting import split_text

    language = language or language_of(text)
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
    engine: LongEngine, voice: Any, cast: Mapping[str, Any], chunks: "Sequence[Chunk]"
) -> dict[str | None, Voice | None]:
    """Voices by speaker, as SteadyVoices takes them: the cast's, and `voice` for everybody else.

    Without a voice a speaker is left out (his first chunk gives it), unless the weights have one speaker.
    """
    by_speaker: dict[str | None, Voice | None] = {name: engine.load_voice(one) for name, one in cast.items()}
    default = engine.load_voice(voice)
    if default is not None or engine.one_speaker:
        for chunk in chunks:
            by_speaker.setdefault(chunk.speaker, default)
    return by_speaker
