"""Running `alrakis-bench`."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Ended:
    """What the program left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Bench = Callable[..., Ended]

_MAIN = "from alrakis.bench.cli import main; main()"
# Standard error that waits to be told a line when it has said so many with some words.
_STANDS = """
import io, sys

class Told(io.TextIOWrapper):
    left, line = {times}, ""

    def write(self, text):
        written = super().write(text)
        self.flush()
        *lines, self.line = (self.line + text).split("\\n")
        for line in lines:
            self.left -= {words!r} in line
            if self.left == 0:
                self.left = -1
                sys.stdin.readline()
        return written

sys.stderr = Told(sys.stderr.detach(), "utf-8")
"""


class Running:
    """`alrakis-bench` in a process of its own, its messages read as they come."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def wait_for(self, words: str) -> str:
        """The next message that has these words."""
        assert self._process.stderr
        for line in self._process.stderr:
            if words in line:
                return line
        pytest.fail(f"it ended and never said {words!r}")

    def workers(self) -> list[int]:
        """The processes that it has started and not ended."""
        own = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        if not own.exists():
            pytest.skip("this system does not list a process's children")
        return [int(word) for word in own.read_text().split()]

    def worker_of(self, target: str) -> int:
        def words(pid: int) -> list[str]:
            return Path(f"/proc/{pid}/cmdline").read_text().split("\0")

        return next(pid for pid in self.workers() if target in words(pid))

    def go_on(self) -> None:
        """After it has stood still."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def ctrl_c(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def end(self) -> Ended:
        out, err = self._process.communicate()
        return Ended(self._process.returncode, out, err)


@contextmanager
def started(
    folder: Path,
    *arguments: str,
    before: str = "",
    path: Path | None = None,
    stands: tuple[str, int] = ("", 0),
) -> Iterator[Running]:
    """before: a line of Python that runs first. path: a folder whose modules come before all others.

    stands: it stands still when it has said these words so many times, until it is to go on.
    """
    words, times = stands
    first = f"{before}\n{_STANDS.format(words=words, times=times) if times else ''}"
    environment = {**os.environ, "ALRAKIS_DEBUG": "0", "OMP_NUM_THREADS": "1"}
    if path:
        environment["PYTHONPATH"] = str(path)
    with subprocess.Popen(
        [sys.executable, "-u", "-c", f"{first}\n{_MAIN}", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()
