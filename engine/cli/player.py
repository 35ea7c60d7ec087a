"""`alrakis read --stream`: writing finished chunks to standard output while the others are made."""

import contextlib
import os
import stat
import sys
import threading
from types import TracebackType

from alrakis.audio import pcm16, wav_header
from alrakis.cli.showing import to_stdout
from alrakis.jobs.reading import Reading


class Player:
    """A thread that writes chunks in order as soon as they are ready.

    form: `wav` or `pcm`; with None it does nothing. It writes without a buffer: audio is heard at once, and a
    reader that has stopped reading does not keep the program from ending.
    """

    def __init__(self, reading: Reading, form: str | None) -> None:
        self._reading = reading
        self._form = form
        self._begin = _place() if form == "wav" else None
        self._ready = {index + 1 for index in reading.finished_s()}
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="alrakis-player", daemon=True)

    def __enter__(self) -> "Player":
        if self._form:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._begin is not None:  # a file does not keep anybody waiting, and its header is to be right
            self._thread.join()

    def ready(self, chunk: int) -> None:
        """Tell the thread that the files of a chunk are there."""
        with self._changed:
            self._ready.add(chunk)
            self._changed.notify()

    def check(self) -> None:
        """Raise the error that ended the thread, if any: BrokenPipeError if the reader is gone."""
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Wait until everything is written."""
        if self._form:
            self._thread.join()
        self.check()

    def _run(self) -> None:
        try:
            if self._form == "wav":
                self._write_wav()
            else:
                self._write_samples()
        except BaseException as error:  # `check` raises it in the thread that makes the chunks
            self._error = error

    def _write_wav(self) -> None:
        """A header and the samples; where there is going back, the header tells how many they became."""
        rate_hz = self._reading.sample_rate_hz
        _write(wav_header(rate_hz))
        written = self._write_samples()
        if self._begin is not None:
            os.lseek(sys.stdout.fileno(), self._begin, os.SEEK_SET)
            _write(wav_header(rate_hz, written))
            os.lseek(sys.stdout.fileno(), written, os.SEEK_CUR)

    def _write_samples(self) -> int:
        """The chunks as they come; gives how many bytes they have, fewer if the reading has ended early."""
        written = 0
        for chunk in self._reading.wanted:
            if not self._comes(chunk.chunk):
                break
            samples = pcm16(self._reading.audio(chunk))
            _write(samples)
            written += len(samples)
        return written

    def _comes(self, chunk: int) -> bool:
        """Wait for a chunk; returns whether it is ready, False if the reading has ended without it."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or chunk in self._ready)
            return chunk in self._ready


def _place() -> int | None:
    """Where in a file standard output stands; None where there is no going back: in a pipe, or with `>>`."""
    output = sys.stdout.fileno()
    if not stat.S_ISREG(os.fstat(output).st_mode):
        return None
    with contextlib.suppress(ImportError):
        import fcntl

        if fcntl.fcntl(output, fcntl.F_GETFL) & os.O_APPEND:
            return None
    return os.lseek(output, 0, os.SEEK_CUR)


def _write(data: bytes) -> None:
    left = memoryview(data)
    with to_stdout():
        while left:
            left = left[os.write(sys.stdout.fileno(), left) :]
