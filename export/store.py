"""A folder of artifacts, each complete, and made by one process at a time.

An artifact is a folder of files and a manifest, which is written last. It is built under a temporary name and
renamed when it is complete. What a killed process leaves behind is removed by the next process that builds.

Before an artifact is used, every byte of it has been compared with the checksums in its manifest: when it is
first used, and again whenever a file was written to or replaced since (`alrakis.files.memo` tells how that is
seen). What a disk loses by itself is seen when all is read again: `alrakis export --check`.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from alrakis.files.memo import remembered, stamps_of
from alrakis.files.parsing import MOST_KEYS, first_problem, read_json, reason
from alrakis.files.printable import printable
from alrakis.files.writing import replace_file
from alrakis.places.folders import own_cache
from alrakis.progress import tell

MANIFEST = "manifest.json"
_FORMAT = 1  # of the manifest
_SPARE_BYTES = 32 * 2**20  # to be left free on the disk
_NAME = re.compile("[a-z]+-[a-z0-9]+-[0-9a-f]{16}")

Facts = dict[str, Any]  # all that an artifact depends on, as JSON values
Build = Callable[[Path], Mapping[str, Any]]  # fills a folder; returns notes for the manifest


class DamagedError(Exception):
    """An artifact differs from its manifest, or is another than the one looked for."""


class NoSpaceError(OSError):
    """A disk has less free space than an artifact needs; the message says where and how much."""


@dataclass(frozen=True)
class Artifact:
    """A complete artifact. facts: all that it depends on; notes: what its builder returned."""

    folder: Path
    facts: Facts
    notes: dict[str, Any]
    size_bytes: int


class _File(BaseModel):
    model_config = ConfigDict(strict=True)

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class _Facts(BaseModel):
    """What every artifact depends on; what depends on its part is not told here."""

    model_config = ConfigDict(strict=True, extra="allow")

    part: str
    precision: str
    identity: str
    exporter: int


class Manifest(BaseModel):
    """The file that says what an artifact is, and what is in its files."""

    model_config = ConfigDict(strict=True)

    format: Literal[1]
    facts: _Facts
    created: str = ""
    notes: dict[str, Any]
    files: dict[str, _File] = Field(min_length=1)

    @field_validator("files")
    @classmethod
    def _inside(cls, files: dict[str, _File]) -> dict[str, _File]:
        for name in files:
            if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
                raise ValueError(f"{name!r:.80} is no file in the folder")
        return files


def artifact_name(facts: Facts) -> str:
    """The name of an artifact's folder: part, precision, and a hash of all facts."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{facts['part']}-{facts['precision']}-{digest[:16]}"


def artifact_cache() -> Path:
    """The folder of artifacts in `$ALRAKIS_CACHE` or the user's cache folder."""
    return own_cache() / "artifacts"


class Store:
    """The artifacts in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def place(self, facts: Facts) -> Path:
        """The folder that the artifact with these facts has, or would have."""
        return self.root / artifact_name(facts)

    def find(self, facts: Facts, *, whole: bool = False) -> Artifact | None:
        """The artifact with these facts, checked; None if there is none.

        whole: check every byte, also of files that have not changed since they were checked. Raises
        DamagedError.
        """
        folder = self.place(facts)
        return check(folder, facts, "all" if whole else "changed") if folder.exists() else None

    def make(self, facts: Facts, build: Build, needed_bytes: int, *, whole: bool = False) -> Artifact:
        """Build an artifact, or return the one that another process has made meanwhile.

        whole: check all files of an artifact that is already there. Raises OSError if nothing can be written
        (NoSpaceError before building), and what `build` raises; nothing is left behind.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self._locked(artifact_name(facts)):
            try:
                found = self.find(facts, whole=whole)
            except DamagedError as problem:
                tell(f"{problem}: it is made again")
                found = None
            if found:
                return found
            self._sweep(artifact_name(facts))
            _check_space(self.root, needed_bytes)
            return self._build(facts, build)

    def folders(self) -> list[Path]:
        """The folders of all artifacts, sorted by name, also of damaged ones."""
        return sorted(path for path in self.root.glob("*") if _NAME.fullmatch(path.name) and path.is_dir())

    def artifacts(self) -> list[Artifact]:
        """All complete artifacts by their names and sizes, sorted by name."""
        found = []
        for folder in self.folders():
            try:
                found.append(check(folder, None, "sizes"))
            except DamagedError:
                continue
        return found

    def remove(self, folder: Path) -> int:
        """Remove an artifact, damaged or not; returns how many bytes it had."""
        with self._locked(folder.name):
            size_bytes = _size_bytes(folder)
            hidden = self._temporary(folder.name)  # renamed first, so that nobody finds a part of it
            os.replace(folder, hidden)
            _remove(hidden)
        return size_bytes

    def remove_unfinished(self) -> None:
        """Remove what killed processes left behind, but nothing that is being built now."""
        for name in {path.name[1:].rsplit(".", 2)[0] for path in self.root.glob(".*.part")}:
            lock = FileLock(self.root / f".{name}.lock")
            try:
                with lock.acquire(timeout=0):
                    self._sweep(name)
            except (Timeout, OSError):
                continue

    def _build(self, facts: Facts, build: Build) -> Artifact:
        folder = self.place(facts)
        building = self._temporary(folder.name)
        building.mkdir()
        try:
            notes = build(building)
            write_manifest(building, facts, notes)
            _sync(building)
            if folder.exists():
                os.replace(folder, self._temporary(folder.name))
            os.replace(building, folder)
        finally:
            self._sweep(folder.name)
        return check(folder, facts, "sizes")

    def _temporary(self, name: str) -> Path:
        return self.root / f".{name}.{secrets.token_hex(4)}.part"

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Hold an artifact's lock; the system releases it if this process is killed."""
        lock = FileLock(self.root / f".{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            tell(f"another process is exporting {name}: waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _sweep(self, name: str) -> None:
        """Remove unfinished folders of an artifact, whose lock must be held."""
        for leftover in self.root.glob(f".{name}.*.part"):
            _remove(leftover)


def check(folder: Path, facts: Facts | None, hashes: Literal["sizes", "changed", "all"]) -> Artifact:
    """The artifact in a folder. Raises DamagedError if it is incomplete or has other facts (None: any).

    hashes: "sizes" compares no checksums, "changed" those of files that changed since they were checked.
    """
    manifest = _read_manifest(folder)
    there = manifest.facts.model_dump()
    if facts is not None and there != json.loads(json.dumps(facts)):
        raise DamagedError(f"{folder / MANIFEST} is of another artifact: {_difference(there, facts)}")
    size_bytes = 0
    for name, entry in manifest.files.items():
        path = folder / name
        try:
            found = path.stat()
            found_bytes = found.st_size
            if not stat.S_ISREG(found.st_mode):
                raise DamagedError(f"{path} is no ordinary file")
            if found_bytes != entry.bytes:
                raise DamagedError(f"{path} has {found_bytes} bytes, not {entry.bytes}")
            if hashes != "sizes" and _checksum(path, again=hashes == "all") != entry.sha256:
                raise DamagedError(f"{path} has been changed: its checksum is not the one in {MANIFEST}")
        except OSError as error:
            raise DamagedError(f"{path} cannot be read: {error.strerror}") from None
        size_bytes += found_bytes
    return Artifact(folder, there, manifest.notes, size_bytes)


def write_manifest(folder: Path, facts: Facts, notes: Mapping[str, Any]) -> None:
    """Write the manifest of a folder. Raises OSError."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    manifest = {"format": _FORMAT, "facts": facts, "created": created, "notes": _plain(notes), "files": files}
    _write(folder, manifest)


def write_notes(artifact: Artifact, notes: Mapping[str, Any]) -> Artifact:
    """Replace the notes in an artifact's manifest. Raises OSError."""
    manifest = _read_manifest(artifact.folder).model_dump()
    _write(artifact.folder, {**manifest, "notes": _plain(notes)})
    return check(artifact.folder, artifact.facts, "sizes")


def _plain(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Notes as they can be read again: the path of weights may be no Unicode text."""
    return {key: printable(value) if isinstance(value, str) else value for key, value in notes.items()}


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    replace_file(folder / MANIFEST, json.dumps(manifest, indent=1).encode())


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        return Manifest.model_validate(read_json(path, unbounded=True, most_keys=MOST_KEYS))
    except ValidationError as error:
        problem = first_problem(error.errors(include_url=False))
        raise DamagedError(f"{path} is not a manifest of this version's format: {problem}") from None
    except (OSError, ValueError) as error:
        raise DamagedError(f"{path} cannot be read: {reason(error)}") from None


def _difference(there: Facts, facts: Facts) -> str:
    keys = [key for key in {**there, **facts} if there.get(key) != facts.get(key)]
    return ", ".join(f"{key} {there.get(key)!r:.40}, not {facts.get(key)!r:.40}" for key in keys)


def _checksum(path: Path, *, again: bool) -> str:
    """The checksum of a file, from memory if the file is as it was, unless it is to be read again."""
    if again:
        return _sha256(path)
    return remembered("sha256", stamps_of([path]), lambda: _sha256(path))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    """Flush all files to the disk, so that a rename is not there before their content."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb+") as file:
                os.fsync(file.fileno())


def _check_space(root: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(root).free
    if free_bytes < needed_bytes + _SPARE_BYTES:
        raise NoSpaceError(
            f"about {(needed_bytes + _SPARE_BYTES) / 1e6:,.0f} MB are needed in {root}, "
            f"and {free_bytes / 1e6:,.0f} MB are free there"
        )


def _remove(path: Path) -> None:
    """Remove a file or folder. What cannot be removed (in use, on Windows) is left for the next sweep."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        try:
            path.unlink()
        except OSError:
            return


def _size_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
