"""The folder of a batch: its audio files, and the manifest, which is JSONL itself.

The manifest's first line says with what settings all is made; each further line is an item that is finished,
as `Finished` has it. Lines are added after the files that they tell of: a process that is killed leaves items
that are done, and others that are made again. An item whose text was corrected is made anew; its audio of
before is kept beside it, as in `0003.1.wav`.
"""

import io
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field

from alrakis.audio import check_format, check_output
from alrakis.errors import InputError, OutputError
from alrakis.files.parsing import LimitError, Model, parse_model, read_file, reason
from alrakis.files.writing import replace_file
from alrakis.jobs.batch_texts import BatchItem, subtitles_file
from alrakis.jobs.folder import JobFolder
from alrakis.jobs.settings import JobSettings, setting_differences
from alrakis.marks.subtitles import FORMATS

NAME = "manifest.jsonl"
VERSION: Literal[2] = 2
MOST_BYTES = 256 << 20  # a row has about 300


class Finished(BaseModel):
    """An item that was made, with its seconds of audio, or that failed, and why; and what was asked for.

    earlier: it was made, and something else is asked for now; its file is still there. scores: of the takes
    that were listened to.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    file: str
    state: Literal["done", "failed", "earlier"]
    seconds: float = 0.0
    error: str | None = None
    text: str
    voice: str | None
    seed: int
    lang: str | None
    scores: Annotated[list[dict[str, Any]], FailFast()] = Field(default_factory=list)


class _Head(BaseModel):
    """The manifest's first line."""

    model_config = ConfigDict(extra="forbid", strict=True, ser_json_inf_nan="constants")

    alrakis_batch: Literal[2] = VERSION
    settings: JobSettings


@dataclass(frozen=True)
class Standing:
    """What a batch finds of its items.

    done: those that are made, by id. changed: the ids of those of which something else is asked for now.
    gone: how many were made that are asked for no longer.
    """

    done: dict[str, Finished]
    changed: list[str]
    gone: int


class BatchFolder(JobFolder):
    """The folder of one batch."""

    MANIFEST = NAME
    ELSEWHERE = "give another output folder"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._before: set[str] = set()  # names of files that are not to be replaced
        self._named: set[str] = set()  # names that items have or will have

    def begin(
        self, settings: JobSettings, items: Sequence[BatchItem], subtitles: str | None = None
    ) -> Standing:
        """What there is of these items; the manifest is made, or tidied up: failed ones run again.

        subtitles: an item is there with this file beside its audio. Raises InputError that says what differs
        if the manifest is of other settings.
        """
        before, finished = self._read()
        self.refuse([] if before is None else list(setting_differences(before, settings)))
        wanted = {item.id: item for item in items}
        done: dict[str, Finished] = {}
        others: list[Finished] = []
        for made in _latest(finished):
            if not self.has(made.file):
                continue
            if made.id in wanted and _as_asked(made, wanted[made.id]):
                if subtitles is None or self.has(subtitles_file(made.file, subtitles)):
                    done[made.id] = made
            elif made.id in wanted:
                others.append(made.model_copy(update={"state": "earlier"}))
            else:
                others.append(made)
        self._before = {_key(made.file) for made in others}
        self._named = {_key(item.file) for item in items} | self._before
        self.write(NAME, _lines([_Head(settings=settings), *done.values(), *others]))
        changed = {made.id for made in others if made.id in wanted}
        in_order = [item.id for item in items if item.id in changed]
        return Standing(done, in_order, len(others) - len(changed))

    def save(self, files: Mapping[str, bytes]) -> None:
        """Write an item's files, its audio first; what that was before is kept. Raises OutputError."""
        for number, (file, data) in enumerate(files.items()):
            if number == 0:
                self.keep_earlier(file)
            self.write(file, data)

    def keep_earlier(self, file: str) -> None:
        """Move what an audio file was before, and its subtitles, out of the way. Raises OutputError."""
        if _key(file) not in self._before:
            return
        name = Path(file)
        names = (f"{name.stem}.{number}{name.suffix}" for number in itertools.count(1))
        free = next(n for n in names if _key(n) not in self._named and not self._is_there(n))
        for old, new in zip(_with_subtitles(file), _with_subtitles(free), strict=True):
            self.rename(old, new)
        self._before.discard(_key(file))

    def _is_there(self, file: str) -> bool:
        return any(self.has(name) for name in _with_subtitles(file))

    def settings(self) -> JobSettings | None:
        """The settings in the manifest that is there, None if there is none."""
        return self._read()[0]

    def add(self, finished: Sequence[Finished]) -> None:
        """Add items, whose files are written. Raises OutputError."""
        self.append(_lines(finished))

    def _read(self) -> tuple[JobSettings | None, list[Finished]]:
        """Settings and finished items; a last line that a killed process has not finished is left out."""
        try:
            content = self.content()
        except (OSError, LimitError) as error:
            raise InputError(f"{self.manifest_place} cannot be read: {reason(error)}") from None
        lines = (line[:-1] for line in io.BytesIO(content) if line.endswith(b"\n"))
        head = next(lines, None)
        if head is None:
            return None, []
        settings = self._line(1, head, _Head).settings
        return settings, [self._line(number, line, Finished) for number, line in enumerate(lines, 2)]

    def _line(self, number: int, line: bytes, model: type[Model]) -> Model:
        try:
            return parse_model(model, line, unbounded=True)
        except ValueError as error:
            raise InputError(
                f"{self.manifest_place}, line {number} is not as alrakis wrote it ({reason(error)}); "
                "put it back, or give another output folder"
            ) from None

    # How it is kept; a bucket does it otherwise.

    def check(self, files: Iterable[str]) -> None:
        """Raises InputError if an audio file of one of these names cannot be written."""
        try:
            for number, file in enumerate(files):
                check_format(file)
                if self._exists(file) or number == 0:  # one trial serves all that are not there yet
                    self._refuse_links(file)
                    check_output(self.folder / file)
        except OutputError as error:
            raise InputError(str(error)) from None

    def _exists(self, file: str) -> bool:
        try:
            os.lstat(os.path.join(self.folder, file))
        except FileNotFoundError:
            return False
        except OSError as error:  # such as a name too long for this disk
            raise OutputError(f"cannot write {self.folder / file}: {error.strerror}") from None
        return True

    def has(self, file: str) -> bool:
        """Whether a file is there."""
        return (self.folder / file).is_file()

    def write(self, file: str, data: bytes) -> None:
        """Write a file, whole or not at all. Raises OutputError."""
        self._refuse_links(file)
        replace_file(self.folder / file, data)

    def rename(self, file: str, name: str) -> None:
        """Give a file another name, if it is there. Raises OutputError."""
        try:
            os.rename(self.folder / file, self.folder / name)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise OutputError(f"cannot rename {self.folder / file}: {error.strerror}") from None

    def content(self) -> bytes:
        """What the manifest holds, nothing if there is none. Raises OSError or LimitError."""
        try:
            return read_file(self.path, MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return b""

    def append(self, lines: bytes) -> None:
        """Add lines to the manifest. Raises OutputError."""
        try:
            with open(self.path, "ab") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from None


def _with_subtitles(file: str) -> list[str]:
    return [file, *(subtitles_file(file, form) for form in FORMATS)]


def _lines(values: Sequence[BaseModel]) -> bytes:
    return "".join(value.model_dump_json() + "\n" for value in values).encode()


def _key(file: str) -> str:
    return file.casefold()  # some systems know no case in names


def _latest(finished: Sequence[Finished]) -> list[Finished]:
    """Of items that were made, the last that is told of each, and of each file."""
    by_id: dict[str, Finished] = {}
    owner: dict[str, str] = {}
    for made in finished:
        if made.state == "failed":
            continue
        before = owner.get(_key(made.file), made.id)
        if before != made.id:
            by_id.pop(before, None)
        by_id[made.id] = made
        owner[_key(made.file)] = made.id
    return list(by_id.values())


def _as_asked(made: Finished, item: BatchItem) -> bool:
    """Whether an item is what is asked for now. Where no seed is given, any seed will do."""
    same = all(getattr(made, key) == getattr(item, key) for key in ("text", "file", "voice", "lang"))
    return made.state == "done" and same and item.seed in (None, made.seed)
