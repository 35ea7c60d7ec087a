"""The manifest of a text that is being read: what was asked for, and how far each chunk is."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator

from alrakis.errors import InputError
from alrakis.files.parsing import (
    MOST_KEYS,
    LimitError,
    few_values,
    parse_json,
    parse_model,
    read_file,
    reason,
)
from alrakis.files.path_text import PathText
from alrakis.files.writing import replace_file
from alrakis.jobs.settings import JobSettings
from alrakis.sampling import MAX_SEED

VERSION: Literal[2] = 2
NAME = "manifest.json"
MOST_BYTES = 16 << 20

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
T = TypeVar("T")
Many = Annotated[list[T], FailFast()]  # the first mistake is told; all of them would take gigabytes
State = Literal["waiting", "spoken", "done", "silent", "failed"]


class TakeState(BaseModel):
    """One making of a chunk, and how far it is. text, speaker: as they were when it was asked for.

    voice: the voice it was said in. seconds: of its audio, before its edges were trimmed; 0 until it is made.
    state: `spoken` is after the text stage. error: why it failed; it is tried again when the work goes on.
    scores: of the takes that were listened to, of which this is the best.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str
    speaker: str | None
    seed: int = Field(ge=0, le=MAX_SEED)
    voice: PathText | None = None
    seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    state: State = "waiting"
    error: str | None = None
    scores: Many[dict[str, Any]] = Field(default_factory=list)

    @property
    def finished(self) -> bool:
        return self.state in ("done", "silent")

    @property
    def file(self) -> str:
        """What its files are called, whatever the chunk's number is: by what is said, and the seed."""
        said = f"{self.speaker or ''}\0{self.text}".encode()
        return f"{hashlib.blake2b(said, digest_size=5).hexdigest()}-{self.seed}"


class ChunkState(BaseModel):
    """A chunk of the text, and every take of it. take: the one that is heard, from 1. chapter: of the book.

    written: the text as it was written, where it is said in other words.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    chunk: int = Field(ge=1)
    text: str
    pause: str
    speaker: str | None
    chapter: int = Field(default=1, ge=1)
    written: str | None = None
    take: int = Field(ge=1)
    takes: Many[TakeState] = Field(min_length=1)

    @model_validator(mode="after")
    def _take_is_there(self) -> "ChunkState":
        if self.take > len(self.takes):
            raise ValueError(f"take {self.take} of {len(self.takes)}")
        return self

    @property
    def chosen(self) -> TakeState:
        """The take that is heard."""
        return self.takes[self.take - 1]

    def add(self, seed: int) -> None:
        """Ask for another take, of the text as it is now."""
        self.takes.append(TakeState(text=self.text, speaker=self.speaker, seed=seed))
        self.take = len(self.takes)


class KeptVoice(BaseModel):
    """The voice that a speaker keeps: its name, and what the files of the take that gave it are called."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: PathText
    file: str = Field(pattern=r"^[0-9a-f]{10}-[0-9]{1,20}$")


class Manifest(BaseModel):
    """All chunks of a text, in order, and the settings that they are made with.

    voices: a digest of each voice that was given, by its name; `ReadingFolder` has it in a file of its own.
    kept: the voices that speakers found for themselves, "" for who has no name. chapters: their titles.
    former: the takes of chunks that the text has no longer.
    """

    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")

    version: Literal[2] = VERSION
    settings: JobSettings
    voices: dict[PathText, Digest] = Field(default_factory=dict)
    kept: dict[str, KeptVoice] = Field(default_factory=dict)
    chapters: Many[str] = Field(default_factory=list)
    chunks: Many[ChunkState] = Field(min_length=1)
    former: Many[Many[TakeState]] = Field(default_factory=list)

    @property
    def unfinished(self) -> list[ChunkState]:
        """The chunks that are still to be made."""
        return [chunk for chunk in self.chunks if not chunk.chosen.finished]

    @property
    def failed(self) -> list[ChunkState]:
        """The chunks that could not be said."""
        return [chunk for chunk in self.chunks if chunk.chosen.state == "failed"]

    def chunk(self, chunk: int) -> ChunkState:
        """A chunk by its number, from 1. Raises InputError if there is none."""
        if not 1 <= chunk <= len(self.chunks):
            count = len(self.chunks)
            there = f"the text has chunks 1 to {count}" if count > 1 else "the text is one chunk"
            raise InputError(f"there is no chunk {chunk}; {there}")
        return self.chunks[chunk - 1]

    def choose(self, chunk: int, take: int) -> None:
        """Let another take of a chunk be heard. Raises InputError if there is none."""
        state = self.chunk(chunk)
        if not 1 <= take <= len(state.takes):
            count = len(state.takes)
            there = f"takes 1 to {count}" if count > 1 else "one take"
            raise InputError(f"there is no take {take} of chunk {chunk}; it has {there}")
        state.take = take

    def save(self, folder: Path) -> None:
        """Write it into a folder: all or nothing. Raises OutputError, InputError if it could not be read."""
        content = self.model_dump_json(indent=1) + "\n"
        data = content.encode()
        if len(data) > MOST_BYTES or not few_values(content):
            raise InputError("the text is too long for one folder of work; give it in parts of 4 MB")
        replace_file(folder / NAME, data)


def load_manifest(folder: Path) -> Manifest | None:
    """The manifest in a folder, None if there is none. Raises InputError for a damaged one."""
    path = folder / NAME
    try:
        data = read_file(path, MOST_BYTES)
        _check_version(parse_json(data, unbounded=True, most_keys=MOST_KEYS), path)
        manifest = parse_model(Manifest, data, unbounded=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except InputError:
        raise
    except (OSError, LimitError) as error:
        raise InputError(f"{path} cannot be read: {reason(error)}") from None
    except ValueError as error:
        raise _edited(path, reason(error)) from None
    for number, state in enumerate(manifest.chunks, 1):
        if state.chunk != number:
            raise _edited(path, f"chunk {state.chunk} stands where chunk {number} should")
    return manifest


def _check_version(values: Any, path: Path) -> None:
    found = values.get("version", VERSION) if isinstance(values, dict) else VERSION
    if found != VERSION:
        raise InputError(
            f"{path} has version {found!r:.40}; this alrakis reads {VERSION}: go on with the alrakis that "
            "began it, or give another --work"
        )


def _edited(path: Path, what: str) -> InputError:
    return InputError(
        f"{path} is not as alrakis wrote it ({what}); put it back, or remove the folder to begin anew"
    )
