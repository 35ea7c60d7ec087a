"""The folder of a text that is being read: the manifest, and of each chunk its audio and its tokens.

    manifest.json   see `manifest.py`; the only file that says what is done
    0001.npy        a chunk's semantic tokens, after the text stage
    0001.flac       a chunk as it was made, 24 bits, with its text and seed in its tags
    0001.npz        the same as a voice
    voice-1.npz     the voice that the first speaker keeps, once his first chunk is made anew

Every file is written all at once, and the manifest after the files of a batch's chunks: a process that is
killed leaves a batch that is done, or one that is made again with the same chunks in it. That matters: at
int8 a token may depend on the rows beside its own.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from alrakis.audio import read_tags, save_audio
from alrakis.errors import InputError, OutputError
from alrakis.files import check_writable, replace_file
from alrakis.held_folder import held
from alrakis.manifest import NAME, Manifest, Row, differences, load_manifest
from alrakis.result import Result
from alrakis.sampling import FloatArray, IntArray
from alrakis.scheduler import Step
from alrakis.voices import Voice, voice_arrays


class WorkFolder:
    """One such folder. `hold` it while its files are written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Make the folder, keep other processes out, and remove what a killed one has left.

        Raises InputError if another process is at work there or the folder is used for something else,
        OutputError if it cannot be written.
        """
        self._prepare()
        with held(self.folder, "wait for it, or give another --work"):
            yield

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            foreign = sorted(name for name in os.listdir(self.folder) if not name.startswith("."))
        except FileNotFoundError:
            raise InputError(
                f"there is no folder {self.folder.parent} to make the folder of work in"
            ) from None
        except OSError as error:
            raise InputError(f"cannot make the folder of work {self.folder}: {error.strerror}") from None
        if foreign and NAME not in foreign:
            raise InputError(
                f"{self.folder} holds other files ({foreign[0]}) and no {NAME}; give another --work"
            )
        try:
            check_writable(self.folder / NAME)
        except OutputError as error:
            raise InputError(str(error)) from None

    def agree(self, wanted: Manifest) -> Manifest:
        """The manifest to go on with: the one found here, if it is of the same task; else `wanted`.

        Raises InputError that says what differs.
        """
        found = load_manifest(self.folder)
        if found is None:
            wanted.save(self.folder)
            return wanted
        found_differences = list(differences(found, wanted)) or [
            problem for row in found.chunks for problem in self._problems(row)
        ]
        if found_differences:
            lines = "".join(f"\n  - {line}" for line in found_differences[:10])
            raise InputError(
                f"{self.folder} belongs to something else:{lines}\n"
                "say the same as before, give another --work, or remove the folder to begin anew"
            )
        return found

    def _problems(self, row: Row) -> Iterator[str]:
        """Where a chunk's file is not what the manifest says. One that is missing is made again."""
        path = self.audio_path(row.chunk)
        needed = {
            "spoken": [self.semantic_path(row.chunk)],
            "done": [path, self.voice_path(row.chunk)],
        }.get(row.state, [])
        if not all(file.exists() for file in needed):
            row.state, row.seconds = "waiting", 0.0
        if row.state != "done":
            return
        tags = read_tags(path)
        made_of = {"text": row.text, "seed": str(row.seed), "voice": row.voice or ""}
        for key, said in made_of.items():
            if tags.get(key) != said:
                yield f"chunk {row.chunk}: the manifest says {key} {said!r}, {path.name} {tags.get(key)!r}"
        seconds = soundfile.info(path).duration
        if abs(seconds - row.seconds) > 0.01:
            yield f"chunk {row.chunk}: the manifest says {row.seconds} s, {path.name} has {seconds:.3f} s"

    def audio_path(self, chunk: int) -> Path:
        return self.folder / f"{chunk:04}.flac"

    def semantic_path(self, chunk: int) -> Path:
        return self.folder / f"{chunk:04}.npy"

    def voice_path(self, chunk: int) -> Path:
        return self.folder / f"{chunk:04}.npz"

    def save_step(self, manifest: Manifest, step: Step) -> list[Row]:
        """Write what was made of some chunks, then the manifest; gives those that are finished.

        Raises OutputError.
        """
        for one in step.spoken:
            row = manifest.chunks[one.job.index]
            buffer = io.BytesIO()
            np.save(buffer, one.semantic)
            replace_file(self.semantic_path(row.chunk), buffer.getvalue())
            row.state = "spoken"
        finished = [manifest.chunks[job.index] for job, _ in step.results]
        for row, (_, result) in zip(finished, step.results, strict=True):
            self._save_result(row, result)
        manifest.rows = step.rows
        manifest.save(self.folder)
        for row in finished:
            self.semantic_path(row.chunk).unlink(missing_ok=True)
        return finished

    def _save_result(self, row: Row, result: Result) -> None:
        speaks = len(result.audio) > 0
        if speaks:
            result.save_voice(self.voice_path(row.chunk))
            save_audio(self.audio_path(row.chunk), result.audio, result.sample_rate, result.tags, bits=24)
        row.voice = result.voice
        row.seconds = round(result.duration_s, 3)
        row.state = "done" if speaks else "silent"

    def semantic(self, row: Row) -> IntArray:
        """What a spoken chunk says, `(S,)`."""
        tokens: IntArray = np.load(self.semantic_path(row.chunk), allow_pickle=False)
        return tokens

    def audio(self, row: Row) -> FloatArray:
        """A chunk's audio as it was made, `(N,)`; empty if it is silent."""
        if row.state != "done":
            return np.empty(0, np.float32)
        samples: FloatArray = soundfile.read(self.audio_path(row.chunk), dtype="float32")[0]
        return samples

    def chunk_voice(self, row: Row) -> Voice | None:
        """A chunk's result as a voice, None if it is silent."""
        return _read_voice(self.voice_path(row.chunk), row.chunk) if row.state == "done" else None

    def kept_voices(self, manifest: Manifest) -> dict[str | None, Voice]:
        """The voice that each speaker's first chunk came out in; from now on it has its own file."""
        kept: dict[str | None, Voice] = {}
        for number, speaker in enumerate(dict.fromkeys(row.speaker for row in manifest.chunks), 1):
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
