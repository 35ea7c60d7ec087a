"""The folder of a batch: its audio files, and the manifest, which is JSONL itself.

The manifest's first line says with what settings all is made; each further line is a row that is finished, as
`Finished` has it. Lines are added after the files that they tell of: a process that is killed leaves rows
that are done, and others that are made again.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from alrakis.errors import InputError, OutputError
from alrakis.files import check_writable, replace_file
from alrakis.held_folder import held
from alrakis.rows import TextRow

NAME = "manifest.jsonl"
VERSION = 1


class Finished(BaseModel):
    """A row that was made, with its seconds of audio, or that failed, and why; and what was asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    file: str
    state: Literal["done", "failed"]
    seconds: float = 0.0
    error: str | None = None
    text: str
    voice: str | None
    seed: int
    lang: str | None


class BatchFolder:
    """One such folder, which is made if it is not there. `hold` it before anything else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other processes out. Raises InputError if one is at work there, or if it cannot be written."""
        self._prepare()
        with held(self.folder, "wait for it"):
            yield

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            check_writable(self.path)
        except OutputError as error:
            raise InputError(str(error)) from None
        except FileNotFoundError:
            parent, name = self.folder.parent, self.folder.name
            raise InputError(f"there is no folder {parent} to make {name} in; make it first") from None
        except OSError as error:
            raise InputError(f"cannot make the folder {self.folder}: {error.strerror}") from None

    def begin(self, settings: Mapping[str, Any], rows: Sequence[TextRow]) -> dict[str, Finished]:
        """What is done of these rows, by id; the manifest is made, or tidied up: failed rows run again.

        Raises InputError that says what differs if the manifest is of other settings or other rows.
        """
        before, finished = self._read()
        differences = [] if before is None else list(_setting_differences(before, settings))
        differences += _row_differences(finished, rows)
        if differences:
            lines = "".join(f"\n  - {line}" for line in differences[:10])
            raise InputError(
                f"{self.path} belongs to something else:{lines}\n"
                "say the same as before, or give another output folder"
            )
        done = {one.id: one for one in finished if one.state == "done" and (self.folder / one.file).is_file()}
        head = {"alrakis_batch": VERSION, "settings": dict(settings)}
        replace_file(self.path, _lines([head, *(one.model_dump() for one in done.values())]))
        return done

    def base_seed(self) -> int | None:
        """The seed in the manifest that is there, None if there is none."""
        settings, _ = self._read()
        seed = (settings or {}).get("seed")
        return seed if isinstance(seed, int) else None

    def add(self, finished: Sequence[Finished]) -> None:
        """Add rows, whose files are written. Raises OutputError."""
        data = _lines([one.model_dump() for one in finished])
        try:
            with open(self.path, "ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from None

    def _read(self) -> tuple[dict[str, Any] | None, list[Finished]]:
        """Settings and finished rows; a last line that a killed process has not finished is left out."""
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return None, []
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}") from None
        if not lines:
            return None, []
        try:
            head = json.loads(lines[0])
            settings = head["settings"]
            if head["alrakis_batch"] != VERSION or not isinstance(settings, dict):
                raise ValueError(f"alrakis_batch is {head['alrakis_batch']!r}, not {VERSION}")
        except (ValueError, KeyError, TypeError) as error:
            raise self._edited(1, error) from None
        finished = []
        for number, line in enumerate(lines[1:], 2):
            try:
                finished.append(Finished.model_validate_json(line))
            except ValidationError as error:
                raise self._edited(number, error.errors()[0]["msg"]) from None
        return settings, finished

    def _edited(self, line: int, why: object) -> InputError:
        return InputError(
            f"{self.path}, line {line} is not as alrakis wrote it ({why}); "
            "put it back, or give another output folder"
        )


def _lines(values: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()


def _setting_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*before, *now]):
        if before.get(key) != now.get(key):
            yield f"{key} was {before.get(key)!r}, now {now.get(key)!r}"


def _row_differences(finished: Sequence[Finished], rows: Sequence[TextRow]) -> Iterator[str]:
    """Where a row that was made is not what is asked for now. More rows than before are none."""
    wanted = {row.id: row for row in rows}
    for one in finished:
        row = wanted.get(one.id)
        if one.state == "failed":
            continue
        if row is None:
            yield f"row {one.id!r} was {one.text!r:.80}, now there is none"
            continue
        for key in ("text", "file", "voice", "lang"):
            before, now = getattr(one, key), getattr(row, key)
            if before != now:
                yield f"row {one.id!r}: {key} was {before!r:.80}, now {now!r:.80}"
        if row.seed is not None and row.seed != one.seed:
            yield f"row {one.id!r}: seed was {one.seed}, now {row.seed}"
