"""Running `alrakis` as a program, on pipes and on a terminal."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TINY = ["--weights", "synthetic-tiny", "--config", "torch-fp32", "--set", "threads=1"]
BRIEF = [*TINY, "--max-duration", "0.4"]


@dataclass
class Ended:
    """What a program left: its exit code and what it printed."""

    code: int
    out: str
    err: str


def command(*arguments: str | bytes, module: bool = False, program: str = "alrakis.cli") -> list[str | bytes]:
    start = ["-m", "alrakis"] if module else ["-c", f"from {program} import main; main()"]
    return [sys.executable, *start, *arguments]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **changes}


def alrakis_process(
    *arguments: str | bytes,
    folder: Path,
    stdin: bytes = b"",
    module: bool = False,
    before: Callable[[], None] | None = None,
    through: Sequence[str] = (),
    **changes: str,
) -> Ended:
    """Run the program itself, none of its streams a terminal. through: a program that starts it."""
    done = subprocess.run(
        [*through, *command(*arguments, module=module)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        env=environment(**changes),
        preexec_fn=before,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, *arguments: str, folder: Path, program: str = "alrakis.cli") -> None:
        self._screen, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # rows, columns
        self.process = subprocess.Popen(
            command(*arguments, program=program),
            cwd=folder,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environment(),
        )
        os.close(inner)
        self.shown = ""

    def read_until(self, text: str) -> None:
        while text not in self.shown:
            assert self._read(), f"the program ended without showing {text!r}: {self.shown}"

    def read_to_end(self) -> str:
        while self._read():
            pass
        self.process.wait()
        os.close(self._screen)
        return self.shown

    def _read(self) -> bool:
        select.select([self._screen], [], [])
        try:
            data = os.read(self._screen, 4096)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)


def refused(ended: Ended, *told: str) -> None:
    """The person's mistake: exit code 2, one message that tells all of this, no traceback."""
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert ended.err.startswith("alrakis: error: ")
    assert "Traceback" not in ended.err
    for part in told:
        assert part in ended.err


Run = Callable[..., Ended]
