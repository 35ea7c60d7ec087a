"""`alrakis read --stream`: writing finished chunks to standard output while the others are made."""

import os
import sys
import threading
from types import TracebackType

from alrakis.audio import pcm16, wav_header
from alrakis.jobs.reading import Reading


class Player:
    """A thread that writes chunks in order as soon as they are ready.

    form: `wav` or `pcm`; with None it does nothing. It writes without a buffer: audio is heard at once, and a
    reader that has stopped reading does not keep the program from ending.
    """

    def __init__(self, reading: Reading, form: str | None) -> None:
        self._reading = reading
        self._form = form
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
                _write(wav_header(self._reading.sample_rate_hz))
            for chunk in self._reading.manifest.chunks:
                if not self._comes(chunk.chunk):
                    return
                _write(pcm16(self._reading.audio(chunk)))
        except BaseException as error:  # `check` raises it in the thread that makes the chunks
            self._error = error

    def _comes(self, chunk: int) -> bool:
        """Wait for a chunk; returns whether it is ready, False if the reading has ended without it."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or chunk in self._ready)
            return chunk in self._ready


def _write(data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(sys.stdout.fileno(), left) :]
