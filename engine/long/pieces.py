"""A long text as pieces of audio that follow each other."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from alrakis.audio import audio_bytes, save_audio
from alrakis.config import Config
from alrakis.errors import GenerationError
from alrakis.long.cues import Align, CueTrack
from alrakis.long.joining import finish, pause_after
from alrakis.marks.subtitles import Cue, check_subtitles, save_subtitles
from alrakis.result import Result
from alrakis.sampling import FloatArray
from alrakis.text.splitting import Chunk
from alrakis.version import __version__

TAG_CHARS = 2000


@dataclass(frozen=True, eq=False, repr=False)
class Piece:
    """One chunk of a long text, as it stands in the joined audio.

    audio: float32 `(N,)`, edges trimmed and faded, with the pause that follows. result: the chunk as it was
    made, with its text, seed and tokens.
    """

    index: int
    chunk: Chunk
    audio: FloatArray
    result: Result

    def __repr__(self) -> str:
        return f"<Piece {self.index}: {self.duration_s:.2f} s of audio, {self.result!r}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: a player, the waveform, seed and voice."""
        return replace(self.result, audio=self.audio)._repr_html_()

    @property
    def sample_rate(self) -> int:
        return self.result.sample_rate

    @property
    def duration_s(self) -> float:
        return len(self.audio) / self.sample_rate


@dataclass(frozen=True, eq=False, repr=False)
class LongResult:
    """A long text's audio, float32 `(samples,)`, and the pieces it is joined of."""

    text: str
    audio: FloatArray
    sample_rate: int
    pieces: list[Piece]

    def __repr__(self) -> str:
        said = repr(f"{self.text[:40]}...") if len(self.text) > 43 else repr(self.text)
        count = f"{len(self.pieces)} piece{'s' if len(self.pieces) != 1 else ''}"
        return f"<LongResult {said}: {count}, {self.duration_s:.2f} s of audio, seed {self.seed}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: a player, the waveform, seed and voice."""
        return replace(self.pieces[0].result, text=self.text, audio=self.audio)._repr_html_()

    @property
    def duration_s(self) -> float:
        return len(self.audio) / self.sample_rate

    @property
    def seed(self) -> int:
        """The first chunk's; chunk i has `seed + i`."""
        return self.pieces[0].result.seed

    @property
    def tags(self) -> dict[str, str]:
        """What goes into an audio file's tags: what it was made from."""
        return long_tags(self.text, self.pieces[0].result.tags)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write wav, flac, ogg or mp3, by the path's extension, with seed, text, voice and config as tags.

        Raises OutputError when it cannot be written, GenerationError when there is no audio.
        """
        self._check()
        return save_audio(path, self.audio, self.sample_rate, self.tags)

    def encoded(self, extension: str) -> bytes:
        """What `save` writes into a file whose name ends so, as in `.flac`. It raises the same."""
        self._check()
        return audio_bytes(extension, self.audio, self.sample_rate, self.tags)

    def _check(self) -> None:
        if len(self.audio) == 0:
            raise GenerationError("no speech was made for any part of the text: there is no audio to save")

    def cues(self, align: Align | None = None) -> list[Cue]:
        """When each piece is heard. align: finds the time of each word, as `alrakis.listening` has it."""
        track = CueTrack(self.sample_rate, align)
        for piece in self.pieces:
            track.add(piece.chunk, piece.audio)
        return track.cues

    def save_subtitles(self, path: str | os.PathLike[str], align: Align | None = None) -> Path:
        """Write srt, vtt or json, by the path's extension. Raises InputError for another, OutputError."""
        return save_subtitles(check_subtitles(path), self.cues(align))


def long_tags(text: str, made_with: Mapping[str, str]) -> dict[str, str]:
    """The tags of a long text's audio file; of the text no more than its beginning."""
    return {
        **made_with,
        "title": " ".join(text.split())[:80],
        "software": f"alrakis {__version__}",
        "text": text[:TAG_CHARS],
    }


def make_piece(index: int, chunk: Chunk, result: Result, config: Config) -> Piece:
    """A chunk's result made ready to be joined; a silent one is empty."""
    return Piece(index, chunk, join_ready(result.audio, chunk, result.sample_rate, config), result)


def join_ready(audio: FloatArray, chunk: Chunk, rate_hz: int, config: Config) -> FloatArray:
    """A chunk's audio with its edges finished and the pause that follows it."""
    if len(audio) == 0:
        return audio
    finished = finish(audio, rate_hz, config)
    return np.concatenate([finished, pause_after(chunk.pause, rate_hz, config)])


def join(text: str, pieces: list[Piece]) -> LongResult:
    """Pieces one after the other."""
    audio = np.concatenate([piece.audio for piece in pieces])
    return LongResult(text, audio, pieces[0].sample_rate, pieces)
