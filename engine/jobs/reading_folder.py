"""The folder of a text that is being read: the manifest, and of each chunk its audio and its tokens.

    manifest.json   see `reading_manifest.py`; the only file that says what is done
    0001.npy        a chunk's semantic tokens, after the text stage
    0001.flac       a chunk as it was made, 24 bits, with its text and seed in its tags
    0001.npz        the same as a voice
    voice-1.npz     the voice that the first speaker keeps, once his first chunk is made anew

Every file is written all at once, and the manifest after the files of a batch's chunks: a process that is
killed leaves a batch that is done, or one that is made again with the same chunks in it. That matters: at
int8 a token may depend on the chunks beside its own.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from alrakis.audio import save_audio
from alrakis.audio_tags import read_tags
from alrakis.errors import InputError
from alrakis.files import replace_file
from alrakis.jobs.folder import JobFolder
from alrakis.jobs.reading_manifest import NAME, ChunkState, Manifest, differences, load_manifest
from alrakis.long.scheduler import Step
from alrakis.result import Result
from alrakis.sampling import FloatArray, IntArray
from alrakis.voices import Voice, voice_arrays


class ReadingFolder(JobFolder):
    """The folder of one text."""

    MANIFEST = NAME
    ELSEWHERE = "give another --work"

    def _check_files(self) -> None:
        foreign = sorted(name for name in os.listdir(self.folder) if not name.startswith("."))
        if foreign and NAME not in foreign:
            raise InputError(
                f"{self.folder} holds other files ({foreign[0]}) and no {NAME}; {self.ELSEWHERE}"
            )

    def agree(self, wanted: Manifest) -> Manifest:
        """The manifest to go on with: the one found here, if it is of the same task; else `wanted`.

        Raises InputError that says what differs.
        """
        found = load_manifest(self.folder)
        if found is None:
            wanted.save(self.folder)
            return wanted
        self.refuse(
            list(differences(found, wanted))
            or [problem for chunk in found.chunks for problem in self._problems(chunk)]
        )
        return found

    def _problems(self, state: ChunkState) -> Iterator[str]:
        """Where a chunk's file is not what the manifest says. One that is missing is made again."""
        path = self.audio_path(state.chunk)
        needed = {
            "spoken": [self.semantic_path(state.chunk)],
            "done": [path, self.voice_path(state.chunk)],
        }.get(state.state, [])
        if not all(file.exists() for file in needed):
            state.state, state.seconds = "waiting", 0.0
        if state.state != "done":
            return
        tags = read_tags(path)
        made_of = {"text": state.text, "seed": str(state.seed), "voice": state.voice or ""}
        for key, said in made_of.items():
            if tags.get(key) != said:
                yield f"chunk {state.chunk}: the manifest says {key} {said!r}, {path.name} {tags.get(key)!r}"
        seconds = soundfile.info(path).duration
        if abs(seconds - state.seconds) > 0.01:
            yield f"chunk {state.chunk}: the manifest says {state.seconds} s, {path.name} has {seconds:.3f} s"

    def audio_path(self, chunk: int) -> Path:
        return self.folder / f"{chunk:04}.flac"

    def semantic_path(self, chunk: int) -> Path:
        return self.folder / f"{chunk:04}.npy"

    def voice_path(self, chunk: int) -> Path:
        return self.folder / f"{chunk:04}.npz"

    def save_step(self, manifest: Manifest, step: Step) -> list[ChunkState]:
        """Write what was made of some chunks, then the manifest; gives those that are finished.

        Raises OutputError.
        """
        for chunk in step.spoken:
            state = manifest.chunks[chunk.take.index]
            buffer = io.BytesIO()
            np.save(buffer, chunk.semantic)
            replace_file(self.semantic_path(state.chunk), buffer.getvalue())
            state.state = "spoken"
        finished = [manifest.chunks[take.index] for take, _ in step.results]
        for state, (_, result) in zip(finished, step.results, strict=True):
            self._save_result(state, result)
        manifest.next_batch = step.batch
        manifest.save(self.folder)
        for state in finished:
            self.semantic_path(state.chunk).unlink(missing_ok=True)
        return finished

    def _save_result(self, state: ChunkState, result: Result) -> None:
        speaks = len(result.audio) > 0
        if speaks:
            result.save_voice(self.voice_path(state.chunk))
            save_audio(self.audio_path(state.chunk), result.audio, result.sample_rate, result.tags, bits=24)
        state.voice = result.voice
        state.seconds = round(result.duration_s, 3)
        state.state = "done" if speaks else "silent"

    def semantic(self, state: ChunkState) -> IntArray:
        """What a spoken chunk says, `(S,)`."""
        tokens: IntArray = np.load(self.semantic_path(state.chunk), allow_pickle=False)
        return tokens

    def audio(self, state: ChunkState) -> FloatArray:
        """A chunk's audio as it was made, `(N,)`; empty if it is silent."""
        if state.state != "done":
            return np.empty(0, np.float32)
        samples: FloatArray = soundfile.read(self.audio_path(state.chunk), dtype="float32")[0]
        return samples

    def chunk_voice(self, state: ChunkState) -> Voice | None:
        """A chunk's result as a voice, None if it is silent."""
        return _read_voice(self.voice_path(state.chunk), state.chunk) if state.state == "done" else None

    def kept_voices(self, manifest: Manifest) -> dict[str | None, Voice]:
        """The voice that each speaker's first chunk came out in; from now on it has its own file."""
        kept: dict[str | None, Voice] = {}
        for number, speaker in enumerate(dict.fromkeys(state.speaker for state in manifest.chunks), 1):
            path = self.folder / f"voice-{number}.npz"
            first = next((r for r in manifest.chunks if r.speaker == speaker and r.state != "silent"), None)
            if first is None:
                continue
            if first.state == "done" and not path.exists():
                replace_file(path, self.voice_path(first.chunk).read_bytes())
            if path.exists():
                kept[speaker] = _read_voice(path, first.chunk)
        return kept


def _read_voice(path: Path, chunk: int) -> Voice:
    """A chunk's tokens, which need no checks that a person's voice file needs: they may be very few."""
    semantic, coarse, fine = voice_arrays(path).values()
    return Voice(semantic, coarse, fine, f"chunk {chunk}")
