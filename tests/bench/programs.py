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

    def ctrl_c(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def end(self) -> Ended:
        out, err = self._process.communicate()
        return Ended(self._process.returncode, out, err)


@contextmanager
def started(folder: Path, *arguments: str, before: str = "", path: Path | None = None) -> Iterator[Running]:
    """before: a line of Python that runs first. path: a folder whose modules come before all others."""
    environment = {**os.environ, "ALRAKIS_DEBUG": "0", "OMP_NUM_THREADS": "1"}
    if path:
        environment["PYTHONPATH"] = str(path)
    with subprocess.Popen(
        [sys.executable, "-u", "-c", f"{before}\n{_MAIN}", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()
