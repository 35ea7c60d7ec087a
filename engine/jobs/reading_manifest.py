"""The manifest of a text that is being read: what was asked for, and how far each chunk is."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alrakis.errors import InputError
from alrakis.files import replace_file
from alrakis.jobs.settings import setting_differences
from alrakis.sampling import MAX_SEED

VERSION: Literal[1] = 1
NAME = "manifest.json"
SHOWN_CHARS = 60

State = Literal["waiting", "spoken", "done", "silent"]


class ChunkState(BaseModel):
    """How far one chunk is. seconds: of its audio, before its edges were trimmed; 0 until it is made.

    voice: the voice it was said in. takes: how often another seed was asked for. state: `spoken` is after the
    text stage.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    chunk: int = Field(ge=1)
    text: str
    pause: str
    speaker: str | None
    voice: str | None = None
    seed: int = Field(ge=0, le=MAX_SEED)
    takes: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    state: State = "waiting"


class Manifest(BaseModel):
    """All chunks of a text, in order, and the settings that they are made with.

    next_batch: how many chunks the next batch may have (`rows` in the file); None: as the config says.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, populate_by_name=True, ser_json_inf_nan="constants"
    )

    version: Literal[1] = VERSION
    settings: dict[str, Any]
    next_batch: int | None = Field(default=None, ge=1, alias="rows")
    chunks: list[ChunkState] = Field(min_length=1)

    @property
    def unfinished(self) -> list[ChunkState]:
        """The chunks that are still to be made."""
        return [state for state in self.chunks if state.state in ("waiting", "spoken")]

    def chunk(self, chunk: int) -> ChunkState:
        """A chunk by its number, from 1. Raises InputError if there is none."""
        if not 1 <= chunk <= len(self.chunks):
            raise InputError(f"there is no chunk {chunk}; the text has chunks 1 to {len(self.chunks)}")
        return self.chunks[chunk - 1]

    def save(self, folder: Path) -> None:
        """Write it into a folder: all or nothing. Raises OutputError."""
        replace_file(folder / NAME, (self.model_dump_json(indent=1, by_alias=True) + "\n").encode())


def load_manifest(folder: Path) -> Manifest | None:
    """The manifest in a folder, None if there is none. Raises InputError for a damaged one."""
    path = folder / NAME
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    try:
        values = json.loads(text)
        if isinstance(values, dict) and values.get("version", VERSION) != VERSION:
            raise InputError(f"{path} has version {values['version']!r}; this alrakis reads {VERSION}")
        manifest = Manifest.model_validate_json(text)
    except json.JSONDecodeError as error:
        raise _edited(path, f"line {error.lineno}: {error.msg}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        raise _edited(path, f"{where or 'it'}: {first['msg']}") from None
    for number, state in enumerate(manifest.chunks, 1):
        if state.chunk != number:
            raise _edited(path, f"chunk {state.chunk} stands where chunk {number} should")
    return manifest


def _edited(path: Path, what: str) -> InputError:
    return InputError(
        f"{path} is not as alrakis wrote it ({what}); put it back, or remove the folder to begin anew"
    )


def differences(found: Manifest, wanted: Manifest) -> Iterator[str]:
    """What a found manifest was made with, where that is not what is wanted now."""
    yield from setting_differences(found.settings, wanted.settings)
    yield from _text_differences(found.chunks, wanted.chunks)


def _text_differences(found: Sequence[ChunkState], wanted: Sequence[ChunkState]) -> Iterator[str]:
    for before, now in zip(found, wanted, strict=False):
        if before.text != now.text:
            yield f"chunk {now.chunk} was {_shown(before.text)}, now {_shown(now.text)}"
            break  # those behind it are likely to be shifted
        for key in ("pause", "speaker"):
            if getattr(before, key) != getattr(now, key):
                yield f"chunk {now.chunk}'s {key} was {getattr(before, key)!r}, now {getattr(now, key)!r}"
        if before.seed != now.seed and not before.takes:
            yield f"chunk {now.chunk}'s seed is {before.seed}, but should be {now.seed}"
    if len(found) != len(wanted):
        yield f"there were {len(found)} chunks, now {len(wanted)}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…")
