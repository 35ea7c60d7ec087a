"""The folder of a text that is being read: the manifest, and of each take its audio and its tokens.

    manifest.json          see `reading_manifest.py`; the only file that says what is done
    0a1b2c3d4e-7.npy       a take's semantic tokens, after the text stage; 7 is its seed
    0a1b2c3d4e-7-coarse.npy  its coarse codes, after the coarse stage
    0a1b2c3d4e-7.flac      a take as it was made, 24 bits, with its text and seed in its tags
    0a1b2c3d4e-7.npz       the same as a voice
    voice-1a2b3c4d.npz     a voice that was given

Every file is written all at once, and the manifest after the files of a chunk: a process that is killed
leaves chunks that are done, and others that go on from their last stage that was.
"""

import contextlib
import hashlib
import io
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from alrakis.audio import save_audio
from alrakis.audio_tags import read_tags
from alrakis.errors import GenerationError, InputError, VoiceError
from alrakis.files.npy import read_npy
from alrakis.files.parsing import read_file
from alrakis.files.printable import printable_lines
from alrakis.files.writing import replace_file
from alrakis.flight.journey import Known
from alrakis.jobs.folder import JobFolder
from alrakis.jobs.reading_manifest import NAME, ChunkState, KeptVoice, Manifest, TakeState, load_manifest
from alrakis.result import Result
from alrakis.sampling import FloatArray, IntArray
from alrakis.spec import N_COARSE_CODEBOOKS, Layout, Stage
from alrakis.stages.coarse import coarse_steps
from alrakis.voices import Voice, check_take, voice_arrays

_MOST_SAMPLES = 600 * 24_000  # Bark says up to 15 s at once
_TOKENS: dict[Stage, str] = {"text": ".npy", "coarse": "-coarse.npy"}

logger = logging.getLogger("alrakis")


class ReadingFolder(JobFolder):
    """The folder of one text."""

    MANIFEST = NAME
    ELSEWHERE = "give another --work"

    def _check_files(self) -> None:
        self._refuse_links(*os.listdir(self.folder))
        foreign = sorted(name for name in os.listdir(self.folder) if not name.startswith("."))
        if foreign and NAME not in foreign:
            raise InputError(
                f"{self.folder} holds other files ({foreign[0]}) and no {NAME}; {self.ELSEWHERE}"
            )

    def load(self) -> Manifest | None:
        """The manifest, None if there is none; takes whose files are gone wait again.

        Raises InputError where what is heard is not what the manifest says.
        """
        found = load_manifest(self.folder)
        if found is not None:
            for chunk in found.chunks:
                for take in chunk.takes:
                    self._look_for(take)
                self._look_into(chunk)
            self.refuse([problem for chunk in found.chunks for problem in self._problems(chunk)])
        return found

    def _look_for(self, take: TakeState) -> None:
        needed = {"spoken": [".npy"], "done": [".flac", ".npz"]}.get(take.state, [])
        if not all(self.path_of(take, kind).is_file() for kind in needed):
            take.state, take.seconds = "waiting", 0.0

    def _look_into(self, chunk: ChunkState) -> None:
        """Let a chunk whose audio cannot be opened wait again. What is within is checked when it is heard."""
        take = chunk.chosen
        if take.state == "done":
            try:
                read_tags(self.path_of(take, ".flac"))
            except InputError as error:
                logger.warning("chunk %d is made again: %s", chunk.chunk, error)
                take.state, take.seconds = "waiting", 0.0

    def _problems(self, chunk: ChunkState) -> Iterator[str]:
        """Where a chunk's audio is not what the manifest says."""
        take = chunk.chosen
        if take.state != "done":
            return
        path = self.path_of(take, ".flac")
        tags = read_tags(path)
        made_of = {"text": take.text, "seed": str(take.seed), "voice": take.voice or ""}
        for key, said in made_of.items():
            if tags.get(key) != said:
                yield f"chunk {chunk.chunk}: the manifest says {key} {said!r}, {path.name} {tags.get(key)!r}"
        seconds = soundfile.info(os.fsencode(path)).duration
        if abs(seconds - take.seconds) > 0.01:
            yield f"chunk {chunk.chunk}: the manifest says {take.seconds} s, {path.name} has {seconds:.3f} s"

    def path_of(self, take: TakeState, kind: str) -> Path:
        """A take's file of a kind: `.npy`, `.flac` or `.npz`."""
        return self.folder / f"{take.file}{kind}"

    def save_tokens(self, manifest: Manifest, chunk: ChunkState, stage: Stage, tokens: IntArray) -> None:
        """Write what the text or the coarse stage made of a chunk. Raises OutputError."""
        buffer = io.BytesIO()
        np.save(buffer, tokens)
        replace_file(self.path_of(chunk.chosen, _TOKENS[stage]), buffer.getvalue())
        if stage == "text":
            chunk.chosen.state, chunk.chosen.error = "spoken", None
            manifest.save(self.folder)

    def known(self, take: TakeState, layout: Layout) -> Known | None:
        """What stages have made of a take, None if nothing. OSError or ValueError if a file is damaged."""
        if take.state != "spoken":
            return None
        semantic = self._tokens(take, "text", range(layout.semantic_vocab))
        if semantic.ndim != 1:
            raise ValueError(f"semantic tokens have one dimension, not {semantic.ndim}")
        if not self.path_of(take, _TOKENS["coarse"]).exists():
            return Known(semantic)
        coarse = self._tokens(take, "coarse", range(layout.codebook_size))
        frames = coarse_steps(len(semantic), layout) // N_COARSE_CODEBOOKS
        if coarse.shape != (N_COARSE_CODEBOOKS, frames):
            raise ValueError(f"coarse codes are {(N_COARSE_CODEBOOKS, frames)}, not {coarse.shape}")
        return Known(semantic, coarse)

    def _tokens(self, take: TakeState, stage: Stage, ids: range) -> IntArray:
        tokens = read_npy(read_file(self.path_of(take, _TOKENS[stage])))
        if tokens.dtype.kind not in "iu":
            raise ValueError(f"it holds {tokens.dtype}, not token ids")
        if tokens.size and not (tokens.min() in ids and tokens.max() in ids):
            raise ValueError("it holds ids that these weights do not have")
        return tokens.astype(np.int64)

    def save_failure(self, manifest: Manifest, chunk: ChunkState, error: Exception) -> None:
        """Write down why a chunk cannot be said. Raises OutputError."""
        chunk.chosen.state, chunk.chosen.error = "failed", printable_lines(error)
        manifest.save(self.folder)

    def save_result(self, manifest: Manifest, chunk: ChunkState, result: Result) -> None:
        """Write a chunk that is made, then the manifest. Raises OutputError."""
        take, speaks = chunk.chosen, len(result.audio) > 0
        take.seed, take.scores = result.seed, [scored.facts() for scored in result.takes]
        if speaks:
            result.save_voice(self.path_of(take, ".npz"))
            tags = {**result.tags, "text": take.text}
            tags |= {"written": chunk.written} if chunk.written else {}
            save_audio(self.path_of(take, ".flac"), result.audio, result.sample_rate, tags, bits=24)
            kept = KeptVoice(name=f"chunk {chunk.chunk}", file=take.file)
            manifest.kept.setdefault(chunk.speaker or "", kept)
        take.voice = result.voice
        take.seconds = round(result.duration_s, 3)
        take.state, take.error = "done" if speaks else "silent", None
        manifest.save(self.folder)
        for kind in _TOKENS.values():
            self.path_of(take, kind).unlink(missing_ok=True)

    def audio(self, chunk: ChunkState) -> FloatArray:
        """A chunk's audio as it was made, `(N,)`; empty if it is silent.

        Raises GenerationError if its file is damaged, which is then put aside: the chunk is made again.
        """
        if chunk.chosen.state != "done":
            return np.empty(0, np.float32)
        path = self.path_of(chunk.chosen, ".flac")
        try:
            return _read_speech(path)
        except (soundfile.LibsndfileError, OSError, TypeError, ValueError) as error:  # FLAC has checksums
            raise _put_aside(path, chunk, error) from None

    def chunk_voice(self, chunk: ChunkState, layout: Layout) -> Voice | None:
        """A chunk's result as a voice, None if it is silent."""
        if chunk.chosen.state != "done":
            return None
        path = self.path_of(chunk.chosen, ".npz")
        try:
            return _read_voice(path, f"chunk {chunk.chunk}", layout)
        except VoiceError as error:
            raise _put_aside(path, chunk, error) from None

    def kept_voices(self, manifest: Manifest, layout: Layout) -> dict[str | None, Voice]:
        """The voice that each speaker found for himself: that of the first take of his that spoke.

        Raises VoiceError if a file is damaged.
        """
        paths = {speaker: self.folder / f"{kept.file}.npz" for speaker, kept in manifest.kept.items()}
        return {
            speaker or None: _read_voice(paths[speaker], kept.name, layout)
            for speaker, kept in manifest.kept.items()
            if paths[speaker].exists()
        }

    def save_voices(self, voices: Iterable[Voice]) -> None:
        """Keep voices that were given."""
        for voice in voices:
            arrays: dict[str, Any] = dict(voice_arrays(voice))
            path = self._voice_path(voice_digest(voice))
            if not path.exists():
                buffer = io.BytesIO()
                np.savez(buffer, **arrays)
                replace_file(path, buffer.getvalue())

    def given_voice(self, manifest: Manifest, name: str, layout: Layout) -> Voice | None:
        """A voice that was given when the work began, None if its file is gone. Raises VoiceError."""
        path = self._voice_path(manifest.voices.get(name, ""))
        return _read_voice(path, name, layout) if path.exists() else None

    def _voice_path(self, digest: str) -> Path:
        return self.folder / f"voice-{digest}.npz"


def voice_digest(voice: Voice) -> str:
    """What a voice that was given is known by."""
    held = b"".join(part.tobytes() for part in voice_arrays(voice).values())
    return hashlib.blake2b(held, digest_size=4).hexdigest()


def _put_aside(path: Path, chunk: ChunkState, error: Exception) -> GenerationError:
    """Rename a damaged file, so that it counts as missing; gives the error to be raised."""
    with contextlib.suppress(OSError):
        path.replace(path.with_name(f"{path.name}.damaged"))
    return GenerationError(
        f"chunk {chunk.chunk} is damaged: {path.name} cannot be read ({error}); "
        "the same command makes it again"
    )


def _read_voice(path: Path, name: str, layout: Layout) -> Voice:
    """A voice that was given, or a take's tokens, which may be very few. Raises VoiceError."""
    try:
        return Voice(*check_take(voice_arrays(path), layout), name)
    except VoiceError as error:
        raise VoiceError(f"{path}: {error}") from None


def _read_speech(path: Path) -> FloatArray:
    """A chunk's samples `(N,)`. Raises what soundfile raises, and ValueError for what is no chunk's."""
    with soundfile.SoundFile(os.fsencode(path)) as file:
        if file.channels != 1 or file.frames > _MOST_SAMPLES:  # a small file may hold hours of silence
            raise ValueError(f"it has {file.channels} channels of {file.frames} samples")
        samples: FloatArray = file.read(dtype="float32")
        return samples
