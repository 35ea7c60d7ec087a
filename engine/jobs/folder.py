"""A folder of work that one process at a time is in, and whose manifest says what is done."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from alrakis.errors import InputError, OutputError
from alrakis.files.writing import check_writable, remove_temporary

LOCK = ".lock"


class JobFolder:
    """A folder of work, made if it is not there. `hold` it before anything else.

    MANIFEST: the manifest's file name. ELSEWHERE: how a person gives another folder.
    """

    MANIFEST: str
    ELSEWHERE: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / self.MANIFEST
        self.place = str(folder)  # as a person gave it

    @property
    def manifest_place(self) -> str:
        """Where the manifest is, for a person."""
        return f"{self.place}/{self.MANIFEST}"

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Make the folder, keep other processes out, and remove what a killed one has left.

        Work that did not come so far as to write its manifest leaves nothing. Raises InputError if another
        process is at work there or the folder cannot be used, OutputError if it cannot be locked.
        """
        new = not self.folder.exists()
        lock = filelock.FileLock(self.folder / LOCK)
        try:
            self._prepare()
            with self._locked(lock):
                remove_temporary(self.folder)
                yield
        finally:
            if new and not self.path.exists():
                with contextlib.suppress(OSError):
                    self.folder.rmdir()

    @contextlib.contextmanager
    def _locked(self, lock: filelock.BaseFileLock) -> Iterator[None]:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise InputError(
                f"another process is at work in {self.folder}; wait for it, or {self.ELSEWHERE}"
            ) from None
        except OSError as error:
            raise OutputError(f"cannot write in {self.folder}: {error.strerror}") from None
        try:
            yield
        finally:
            if not self.path.exists():
                with contextlib.suppress(OSError):  # some systems remove no file that is open
                    (self.folder / LOCK).unlink()
            lock.release()

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(exist_ok=True)
            self._refuse_links(LOCK, self.MANIFEST)
            self._check_files()
            check_writable(self.path)
        except OutputError as error:
            raise InputError(str(error)) from None
        except FileNotFoundError:
            parent, name = self.folder.parent, self.folder.name
            raise InputError(f"there is no folder {parent} to make {name} in; make it first") from None
        except OSError as error:
            raise InputError(f"cannot make the folder {self.folder}: {error.strerror}") from None

    def _refuse_links(self, *names: str) -> None:
        """Raises OutputError if one of these files is a link, through which another one would be written."""
        for name in names:
            if (self.folder / name).is_symlink():
                raise OutputError(
                    f"{self.folder / name} is a link, and nothing is written through it; remove it, or "
                    f"{self.ELSEWHERE}"
                )

    def _check_files(self) -> None:
        """Raises InputError if what is in the folder is not of such work."""

    def refuse(self, differences: list[str]) -> None:
        """Raises InputError if there are differences: what was done here was something else."""
        if differences:
            lines = "".join(f"\n  - {line}" for line in differences[:10])
            raise InputError(
                f"{self.place} belongs to something else:{lines}\n"
                "give the same as before or leave it out, "
                f"{self.ELSEWHERE}, or remove the folder to begin anew"
            )
