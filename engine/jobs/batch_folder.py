"""The folder of a batch: its audio files, and the manifest, which is JSONL itself.

The manifest's first line says with what settings all is made; each further line is an item that is finished,
as `Finished` has it. Lines are added after the files that they tell of: a process that is killed leaves items
that are done, and others that are made again.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from alrakis.errors import InputError, OutputError
from alrakis.files.parsing import LimitError, Model, parse_model, read_file, reason
from alrakis.files.writing import replace_file
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.folder import JobFolder
from alrakis.jobs.settings import JobSettings, setting_differences

NAME = "manifest.jsonl"
VERSION: Literal[2] = 2
_MOST_BYTES = 256 << 20  # a row has about 300


class Finished(BaseModel):
    """An item that was made, with its seconds of audio, or that failed, and why; and what was asked for."""

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


class _Head(BaseModel):
    """The manifest's first line."""

    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")

    alrakis_batch: Literal[2] = VERSION
    settings: JobSettings


class BatchFolder(JobFolder):
    """The folder of one batch."""

    MANIFEST = NAME
    ELSEWHERE = "give another output folder"

    def begin(self, settings: JobSettings, items: Sequence[BatchItem]) -> dict[str, Finished]:
        """What is done of these items, by id; the manifest is made, or tidied up: failed ones run again.

        Raises InputError that says what differs if the manifest is of other settings or other items.
        """
        before, finished = self._read()
        differences = [] if before is None else list(setting_differences(before, settings))
        self.refuse([*differences, *_item_differences(finished, items)])
        done = {
            item.id: item for item in finished if item.state == "done" and (self.folder / item.file).is_file()
        }
        replace_file(self.path, _lines([_Head(settings=settings), *done.values()]))
        return done

    def settings(self) -> JobSettings | None:
        """The settings in the manifest that is there, None if there is none."""
        return self._read()[0]

    def add(self, finished: Sequence[Finished]) -> None:
        """Add items, whose files are written. Raises OutputError."""
        data = _lines(finished)
        try:
            with open(self.path, "ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from None

    def _read(self) -> tuple[JobSettings | None, list[Finished]]:
        """Settings and finished items; a last line that a killed process has not finished is left out."""
        try:
            lines = read_file(self.path, _MOST_BYTES).split(b"\n")[:-1]
        except (FileNotFoundError, NotADirectoryError):
            return None, []
        except (OSError, LimitError) as error:
            raise InputError(f"{self.path} cannot be read: {reason(error)}") from None
        if not lines:
            return None, []
        finished = [self._line(number, line, Finished) for number, line in enumerate(lines[1:], 2)]
        return self._line(1, lines[0], _Head).settings, finished

    def _line(self, number: int, line: bytes, model: type[Model]) -> Model:
        try:
            return parse_model(model, line, unbounded=True)
        except ValueError as error:
            raise InputError(
                f"{self.path}, line {number} is not as alrakis wrote it ({reason(error)}); "
                "put it back, or give another output folder"
            ) from None


def _lines(values: Sequence[BaseModel]) -> bytes:
    return "".join(value.model_dump_json() + "\n" for value in values).encode()


def _item_differences(finished: Sequence[Finished], items: Sequence[BatchItem]) -> Iterator[str]:
    """Where an item that was made is not what is asked for now. More items than before are none."""
    wanted = {item.id: item for item in items}
    for made in finished:
        item = wanted.get(made.id)
        if made.state == "failed":
            continue
        if item is None:
            yield f"row {made.id!r} was {made.text!r:.80}, now there is none"
            continue
        for key in ("text", "file", "voice", "lang"):
            before, now = getattr(made, key), getattr(item, key)
            if before != now:
                yield f"row {made.id!r}: {key} was {before!r:.80}, now {now!r:.80}"
        if item.seed is not None and item.seed != made.seed:
            yield f"row {made.id!r}: seed was {made.seed}, now {item.seed}"
