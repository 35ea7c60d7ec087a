"""Running `alrakis` as a program, on pipes and on a terminal."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress
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


# A program that stands still while it makes sound, until there is a file `go-on` where it was started.
HELD = """
import pathlib, time
from alrakis.flight.scheduler import Scheduler
turn = Scheduler._turn

def held(scheduler):
    while not pathlib.Path("go-on").exists():
        time.sleep(0.01)
    turn(scheduler)

Scheduler._turn = held
"""
# A program that stands still at each file that it opens, makes, renames or removes where it was started.
_LOOKED_AT = """
import os, sys
here = os.getcwd() + os.sep

def look(event, given):
    if event in ("open", "os.mkdir", "os.rename", "os.remove") and isinstance(given[0], str):
        if os.path.abspath(given[0]).startswith(here):
            os.write({told}, b".")
            os.read({answer}, 1)

sys.addaudithook(look)
"""


def slow_when(condition: str = "True") -> str:
    """For a program that needs a second for each step of sound: hours, unless it is stopped."""
    return f"""
import os, time
from alrakis.flight.scheduler import Scheduler
turn = Scheduler._turn
Scheduler._turn = lambda scheduler: ({condition} and time.sleep(1), turn(scheduler))
"""


def command(
    *arguments: str | bytes, module: bool = False, program: str = "alrakis.cli", first: str = ""
) -> list[str | bytes]:
    """What starts the program. first: Python that runs before it."""
    start = ["-m", "alrakis"] if module else ["-c", f"{first}\nfrom {program} import main; main()"]
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


def stopped_when(
    moment: Callable[[], bool], *arguments: str, folder: Path, by: signal.Signals = signal.SIGKILL
) -> tuple[int, str]:
    """Run the program, and send it a signal as soon as a moment has come; its exit code and what it said.

    However slow this process is, it misses no moment: the program waits while it looks.
    """
    from_program, told = os.pipe()
    answer, to_program = os.pipe()
    process = subprocess.Popen(
        command(*arguments, first=_LOOKED_AT.format(told=told, answer=answer)),
        cwd=folder,
        stderr=subprocess.PIPE,
        env=environment(),
        pass_fds=(told, answer),
        text=True,
    )
    for end in (told, answer):
        os.close(end)
    sent = False
    while os.read(from_program, 1):
        if not sent and moment():
            sent = True
            process.send_signal(by)
        with suppress(BrokenPipeError):
            os.write(to_program, b".")
    for end in (from_program, to_program):
        os.close(end)
    _, said = process.communicate()
    return process.returncode, said


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, *arguments: str, folder: Path, program: str = "alrakis.cli", first: str = "") -> None:
        self._screen, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # rows, columns
        self.process = subprocess.Popen(
            command(*arguments, program=program, first=first),
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
        assert part in ended.err, (part, ended.err)


Run = Callable[..., Ended]
