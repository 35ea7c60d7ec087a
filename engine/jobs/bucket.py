"""A batch's folder in a bucket (S3, Google's, Azure's), or wherever else an address leads, by obstore.

Objects are put whole or not at all. They cannot be added to, so the manifest is put anew, now and then and at
the end, after all files that it tells of: a process that is killed leaves items that are done, and others of
its last seconds that are made again.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from alrakis.audio import check_format
from alrakis.errors import InputError, OutputError
from alrakis.files.printable import printable
from alrakis.jobs.batch_folder import MOST_BYTES, NAME, BatchFolder
from alrakis.jobs.folder import LOCK
from alrakis.places.given import given_path

PUT_S = 15.0  # how often the manifest is put while rows come
BEAT_S = 15.0  # how often whoever is at work says so
WATCH_S = 40.0  # in which somebody who is at work has said so
SETTLE_S = 2.0  # in which it is seen who was the last to take the place of one who is dead
PUTTERS = 16  # files that are put at once
MOST_PUTS = 64  # files that wait for it

logger = logging.getLogger("alrakis")


def batch_folder(place: str) -> BatchFolder:
    """The folder of a batch: a path, or an address. Raises InputError for an address of no kind known."""
    if place.startswith("memory:"):
        raise InputError(f"{place} would be gone when the command ends: give a folder, or s3://BUCKET/DIR")
    return BucketFolder(place) if "://" in place else BatchFolder(Path(place))


class BucketFolder(BatchFolder):
    """A batch's folder by an address, such as s3://bucket/name; keys are found where AWS's programs look."""

    def __init__(self, url: str) -> None:
        super().__init__(Path(url.partition("://")[2]))
        self.place = self.url = url.rstrip("/")
        self._store = open_store(self.url)
        self._names: set[str] | None = None  # what is there, listed when it is first asked for
        self._manifest: list[bytes] = []  # its lines, of items whose files are there
        self._put_s = 0.0
        self._putters: ThreadPoolExecutor | None = None  # while it is held
        self._under_way: deque[Future[Any] | bytes] = deque()  # files, and what the manifest tells of them
        self._taken = False  # somebody else is at work there

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keep others out. Raises InputError if one is at work there, or nothing can be put there."""
        own = secrets.token_hex(8)
        self._lock(own)
        self._taken = False
        ended, self._putters = threading.Event(), ThreadPoolExecutor(PUTTERS, "alrakis-put")
        beating = threading.Thread(target=self._beat, args=(own, ended), name="alrakis-beat", daemon=True)
        beating.start()
        try:
            try:
                yield
            finally:
                self._put_manifest()
        finally:
            ended.set()
            beating.join()
            self._putters.shutdown(wait=True, cancel_futures=True)
            with contextlib.suppress(Exception):  # whoever comes next finds that nobody is at work
                if self._is_own(own):
                    self._store.delete(LOCK)

    def _lock(self, own: str) -> None:
        from obstore.exceptions import AlreadyExistsError, BaseError

        try:
            try:
                self._store.put(LOCK, own.encode(), mode="create")
            except AlreadyExistsError:
                before = self._get(LOCK)
                logger.info("another process was at work in %s: looking for %d s if it is", self.url, WATCH_S)
                time.sleep(WATCH_S)
                if self._get(LOCK) == before:
                    self._store.put(LOCK, own.encode())
                    time.sleep(SETTLE_S)
                if not self._is_own(own):
                    raise InputError(
                        f"another process is at work in {self.url}; wait for it, or {self.ELSEWHERE}"
                    ) from None
        except (BaseError, OSError) as error:
            raise InputError(f"cannot write in {self.url}: {_in_a_line(error)}") from None

    def _beat(self, own: str, ended: threading.Event) -> None:
        count = 0
        while not ended.wait(BEAT_S):
            count += 1
            with contextlib.suppress(Exception):  # the next beat may go through
                self._taken = self._taken or not self._is_own(own)
                if not self._taken:
                    self._store.put(LOCK, f"{own} {count}".encode())

    def _is_own(self, own: str) -> bool:
        return (self._get(LOCK) or b"").startswith(own.encode())

    def check(self, files: Iterable[str]) -> None:
        """Raises InputError for a name of no format."""
        try:
            for file in files:
                check_format(file)
        except OutputError as error:
            raise InputError(str(error)) from None

    def has(self, file: str) -> bool:
        """Whether a file is there. Raises OutputError."""
        if self._names is None:
            self._finish()
            with self._told("read"):
                self._names = {item["path"] for items in self._store.list() for item in items}
        return file in self._names

    def write(self, file: str, data: bytes) -> None:
        """Put a file; the manifest at once, others beside each other. Raises OutputError."""
        if file == NAME:
            self._manifest = [data]
            self._put_manifest()
            return
        if self._putters is None:
            raise OutputError(f"{self.url} is not held")
        while len(self._under_way) >= MOST_PUTS or (self._under_way and _is_over(self._under_way[0])):
            self._settle()
        self._under_way.append(self._putters.submit(self._store.put, file, data))
        if self._names is not None:
            self._names.add(file)

    def rename(self, file: str, name: str) -> None:
        """Give a file another name, if it is there. Raises OutputError."""
        self._finish()
        if self.has(file):
            with self._told("rename"):
                self._store.rename(file, name)
            self._names = (self._names or set()) - {file} | {name}

    def content(self) -> bytes:
        """What the manifest holds, nothing if there is none. Raises OSError or LimitError."""
        from obstore.exceptions import BaseError

        try:
            found = self._get(NAME)
        except BaseError as error:
            raise OSError(_in_a_line(error)) from None
        if found is not None and len(found) > MOST_BYTES:
            raise OSError(f"it has more than {MOST_BYTES >> 20} MiB")
        return found or b""

    def append(self, lines: bytes) -> None:
        """Add lines to the manifest, which is put when it is time. Raises OutputError."""
        self._under_way.append(lines)
        if time.monotonic() - self._put_s >= PUT_S:
            self._put_manifest()

    def _put_manifest(self) -> None:
        """Put the manifest after all files that it tells of. Raises OutputError, also for one of those."""
        try:
            self._finish()
        finally:
            if self._manifest:
                if self._taken:
                    raise OutputError(f"another process has begun to work in {self.url}: this one ends")
                self._manifest = [b"".join(self._manifest)]
                with self._told("write"):
                    self._store.put(NAME, self._manifest[0])
                self._put_s = time.monotonic()

    def _finish(self) -> None:
        """Wait for all files. Raises OutputError for the first that cannot be put, when all are over."""
        first: OutputError | None = None
        while self._under_way:
            try:
                self._settle()
            except OutputError as error:
                first = first or error
        if first is not None:
            raise first

    def _settle(self) -> None:
        """Wait for the first that is under way; what the manifest has of it is then to be put, too."""
        first = self._under_way[0]
        if isinstance(first, bytes):
            self._under_way.popleft()
            self._manifest.append(first)
            return
        try:
            with self._told("write"):
                first.result()
        except OutputError:
            while self._under_way and not isinstance(self._under_way.popleft(), bytes):
                pass  # its item's files; the item is not told of
            raise
        self._under_way.popleft()

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Raise what goes wrong in the block as OutputError."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            raise OutputError(f"cannot {what} in {self.url}: {_in_a_line(error)}") from None

    def _get(self, name: str) -> bytes | None:
        try:
            return bytes(self._store.get(name).bytes())
        except FileNotFoundError:
            return None


def content_at(url: str, most_bytes: int) -> bytes:
    """What an object holds, one byte more than `most_bytes` at the most. Raises InputError."""
    from obstore.exceptions import BaseError

    place, _, name = url.rpartition("/")
    try:
        store = open_store(place, make=False)
        size = store.head(name)["size"]
        return bytes(store.get_range(name, start=0, length=min(size, most_bytes + 1))) if size else b""
    except (BaseError, OSError, InputError) as error:
        raise InputError(f"cannot read {url}: {_in_a_line(error)}") from None


def open_store(url: str, *, make: bool = True) -> Any:
    """What is at an address. Raises InputError for no kind known, ModuleNotFoundError without obstore."""
    from obstore.exceptions import BaseError
    from obstore.store import LocalStore, from_url

    try:
        if url.startswith("file://"):
            return LocalStore(given_path(url.removeprefix("file://")), automatic_cleanup=True, mkdir=make)
        return from_url(url)
    except (BaseError, ValueError, OSError) as error:
        raise InputError(f"{url} is no place to write to: {_in_a_line(error)}") from None


def _is_over(entry: "Future[Any] | bytes") -> bool:
    return isinstance(entry, bytes) or entry.done()


def _in_a_line(error: BaseException) -> str:
    """What an error says before it shows its insides."""
    return printable(" ".join(str(error).partition("Debug source")[0].split()))[:300]
