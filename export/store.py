"""A folder of artifacts, each complete, and made by one process at a time.

An artifact is a folder of files and a manifest, which is written last. It is built under a temporary name and
renamed when it is complete. What a killed process leaves behind is removed by the next process that builds.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from alrakis.files import cache_folder, replace_file
from alrakis.progress import tell

MANIFEST = "manifest.json"
_FORMAT = 1  # of the manifest
_CHECKED_AT_ONCE_BYTES = 2**20  # files up to this size are hashed each time an artifact is found
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


def artifact_name(facts: Facts) -> str:
    """The name of an artifact's folder: part, precision, and a hash of all facts."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{facts['part']}-{facts['precision']}-{digest[:16]}"


def artifact_cache() -> Path:
    """The folder of artifacts in `$ALRAKIS_CACHE` or the user's cache folder."""
    return cache_folder() / "artifacts"


class Store:
    """The artifacts in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def place(self, facts: Facts) -> Path:
        """The folder that the artifact with these facts has, or would have."""
        return self.root / artifact_name(facts)

    def find(self, facts: Facts, *, whole: bool = False) -> Artifact | None:
        """The artifact with these facts, checked; None if there is none.

        This checks the sizes of files and the hashes of small ones, which takes milliseconds.
        whole: check the hashes of large files too. Raises DamagedError.
        """
        folder = self.place(facts)
        return check(folder, facts, whole=whole) if folder.exists() else None

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
        """All complete artifacts, sorted by name."""
        found = []
        for folder in self.folders():
            try:
                found.append(check(folder, None))
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
        return check(folder, facts)

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


def check(folder: Path, facts: Facts | None, *, whole: bool = False) -> Artifact:
    """The artifact in a folder. Raises DamagedError if it is incomplete or has other facts (None: any)."""
    manifest = _read_manifest(folder)
    if facts is not None and manifest["facts"] != json.loads(json.dumps(facts)):
        raise DamagedError(f"{folder / MANIFEST} is of another artifact: {_difference(manifest, facts)}")
    size_bytes = 0
    for name, entry in manifest["files"].items():
        path = folder / name
        try:
            found_bytes = path.stat().st_size
            if found_bytes != entry["bytes"]:
                raise DamagedError(f"{path} has {found_bytes} bytes, not {entry['bytes']}")
            if (whole or found_bytes <= _CHECKED_AT_ONCE_BYTES) and _sha256(path) != entry["sha256"]:
                raise DamagedError(f"{path} has been changed: its checksum is not the one in {MANIFEST}")
        except OSError as error:
            raise DamagedError(f"{path} cannot be read: {error.strerror}") from None
        size_bytes += found_bytes
    return Artifact(folder, manifest["facts"], manifest["notes"], size_bytes)


def write_manifest(folder: Path, facts: Facts, notes: Mapping[str, Any]) -> None:
    """Write the manifest of a folder. Raises OSError."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    manifest = {"format": _FORMAT, "facts": facts, "created": created, "notes": dict(notes), "files": files}
    _write(folder, manifest)


def write_notes(artifact: Artifact, notes: Mapping[str, Any]) -> Artifact:
    """Replace the notes in an artifact's manifest. Raises OSError."""
    manifest = _read_manifest(artifact.folder)
    manifest["notes"] = dict(notes)
    _write(artifact.folder, manifest)
    return check(artifact.folder, artifact.facts)


def _write(folder: Path, manifest: Mapping[str, Any]) -> None:
    replace_file(folder / MANIFEST, json.dumps(manifest, indent=1).encode())


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise DamagedError(f"{path} is not JSON") from None
    if not _well_formed(manifest):
        raise DamagedError(f"{path} is not a manifest of this version's format")
    found: dict[str, Any] = manifest
    return found


def _well_formed(manifest: Any) -> bool:
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        return False
    if not all(isinstance(manifest.get(key), dict) for key in ("facts", "notes", "files")):
        return False
    return bool(manifest["files"]) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("bytes"), int)
        and isinstance(entry.get("sha256"), str)
        and not Path(name).is_absolute()
        and ".." not in Path(name).parts
        for name, entry in manifest["files"].items()
    )


def _difference(manifest: Mapping[str, Any], facts: Facts) -> str:
    there = manifest["facts"]
    keys = [key for key in {**there, **facts} if there.get(key) != facts.get(key)]
    return ", ".join(f"{key} {there.get(key)!r:.40}, not {facts.get(key)!r:.40}" for key in keys)


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
