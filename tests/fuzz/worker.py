"""A process that reads damaged files under limits, and may die of one; the process that watches it counts."""

import logging
import mmap
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.fuzz import trap
from tests.fuzz.reader import REFUSALS, Reader

ADDRESS_SPACE = 4 << 30  # beside what the process has when it begins
HANG_S = 5  # of processor time: on a machine that others use too, a clock tells less
MOST_CPU_S = 10  # an input that takes more is ended
MOST_S = 120  # by the clock: an input that waits for something is ended
MEMORY = 500 << 20
RUNS = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "ctypes.dlopen",
    "socket.connect",
    "os.fork",
)
WRITES = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.truncate",
)
COUNTS = ("inputs", "refused", "tracebacks", "hangs", "memory", "signals", "code run", "files outside")
MOST = ("s", "MB")  # of processor time for an input; of memory beyond what the process had when it began


@dataclass(frozen=True)
class Case:
    """An undamaged case: its folder, and what is in the files in it that are damaged."""

    folder: Path
    files: dict[Path, bytes]


class Shared:
    """Numbers that both processes see: what was counted, the most of what, then those with names here."""

    def __init__(self) -> None:
        self.numbers = np.frombuffer(mmap.mmap(-1, 8 * (len(COUNTS) + len(MOST) + 3)), np.float64)

    @property
    def next(self) -> int:
        """The number of the next input."""
        return int(self.numbers[-3])

    @next.setter
    def next(self, number: int) -> None:
        self.numbers[-3] = number

    @property
    def began(self) -> tuple[float, float]:
        """When reading the input before it began: by the clock (0 if none is read), in processor time."""
        return float(self.numbers[-2]), float(self.numbers[-1])

    @began.setter
    def began(self, times: tuple[float, float]) -> None:
        self.numbers[-2] = 0  # the other process is never shown a half
        self.numbers[-1], self.numbers[-2] = times[1], times[0]

    def add(self, what: str) -> None:
        self.numbers[COUNTS.index(what)] += 1

    def count(self, what: str) -> int:
        return int(self.numbers[COUNTS.index(what)])

    def measured(self, what: str, value: float) -> None:
        """The most of something may be this now."""
        place = len(COUNTS) + MOST.index(what)
        self.numbers[place] = max(self.numbers[place], value)

    def most(self, what: str) -> float:
        return float(self.numbers[len(COUNTS) + MOST.index(what)])


def damaged(reader: Reader, cases: list[Case], number: int) -> tuple[Path, bytes]:
    """The file that input `number` of a reader damages, and its content."""
    chance = random.Random(f"{reader.name} {number}")
    case = cases[chance.randrange(len(cases))]
    target = chance.choice(list(case.files))
    damage = reader.damage(target)
    assert damage is not None
    return target, damage(chance, case.files[target])


def cases_of(reader: Reader, seeds: Path) -> list[Case]:
    folders = sorted((seeds / reader.name).iterdir())
    return [
        Case(
            folder,
            {
                path: path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.is_file() and path.suffix != ".lock" and reader.damage(path)
            },
        )
        for folder in folders
    ]


def fuzz(
    reader: Reader, seeds: Path, first: int, stop: int, until: float, kept: Path | None = None
) -> Shared:
    """Try inputs `first` to `stop` of a reader, or until a time; kept: a folder for what went wrong."""
    shared = Shared()
    shared.next = first
    cases = cases_of(reader, seeds)
    while shared.next < stop and time.monotonic() < until:
        pid = os.fork()
        if not pid:
            _work(reader, cases, seeds, shared, stop, until, kept)
        if _watch(pid, shared):
            number = shared.next - 1
            print(f"{reader.name} {number}: a signal", file=sys.stderr)
            _keep(kept, reader, cases, number)
        shared.began = 0, 0
        for path, content in [item for case in cases for item in case.files.items()]:
            path.write_bytes(content)
    return shared


def _watch(pid: int, shared: Shared) -> bool:
    """Wait for a worker; whether it died of a signal that was not ours."""
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            died = os.WIFSIGNALED(status)
            if died:
                shared.add("signals")
            return died
        if _takes_too_long(pid, *shared.began):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            shared.add("hangs")
            print(f"input {shared.next - 1}: a hang", file=sys.stderr)
            return False
        time.sleep(0.02)


def _takes_too_long(pid: int, began: float, began_cpu: float) -> bool:
    waited = time.monotonic() - began
    if not began or waited < min(MOST_S, MOST_CPU_S):
        return False
    used = psutil.Process(pid).cpu_times()
    return waited > MOST_S or used.user + used.system - began_cpu > MOST_CPU_S


def _work(
    reader: Reader, cases: list[Case], seeds: Path, shared: Shared, stop: int, until: float, kept: Path | None
) -> None:
    """Read inputs until the end, or until one has taken much memory; never returns."""
    most = psutil.Process().memory_info().vms + ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    reader.prepare()
    _guard(seeds, kept, shared)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while shared.next < stop and time.monotonic() < until:
        number = shared.next
        path, content = damaged(reader, cases, number)
        case = next(case for case in cases if path in case.files)
        path.write_bytes(content)
        shared.next += 1
        shared.add("inputs")
        shared.began = time.monotonic(), time.process_time()
        wrong = _read(reader, case.folder, shared)
        took = time.process_time() - shared.began[1]
        shared.measured("s", took)
        if took > HANG_S:
            shared.add("hangs")
            wrong = f"{wrong} a hang"
        shared.began = 0, 0
        path.write_bytes(case.files[path])
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) << 10
        shared.measured("MB", grown / 1e6)
        if grown > MEMORY:
            shared.add("memory")
            wrong = f"{wrong} {grown >> 20} MiB of memory"
        if wrong:
            print(f"{reader.name} {number}: {wrong}", file=sys.stderr, flush=True)
            _keep(kept, reader, cases, number)
        if grown > MEMORY:
            break
    os._exit(0)


def _read(reader: Reader, folder: Path, shared: Shared) -> str:
    """Read a damaged case; what went wrong."""
    try:
        reader.read(folder)
    except REFUSALS:
        shared.add("refused")
    except BaseException as error:  # a panic of Rust is no Exception
        shared.add("tracebacks")
        return f"{type(error).__name__}: {error!s:.300}\n{traceback.format_exc(limit=-6)}"
    finally:
        if trap.sprung:
            trap.sprung.clear()
            shared.add("code run")
    return ""


def _guard(seeds: Path, kept: Path | None, shared: Shared) -> None:
    """Count programs that are run and files that are written outside of the folder."""
    inside = (str(seeds), tempfile.gettempdir(), os.devnull, str(kept))

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in RUNS:
            shared.add("code run")
        elif (
            event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        ):
            if isinstance(args[0], (str, bytes)) and not os.fsdecode(args[0]).startswith(inside):
                shared.add("files outside")
        elif event in WRITES and not str(args[0]).startswith(inside):
            shared.add("files outside")

    sys.addaudithook(hook)


def _keep(kept: Path | None, reader: Reader, cases: list[Case], number: int) -> None:
    if kept:
        path, content = damaged(reader, cases, number)
        kept.mkdir(parents=True, exist_ok=True)
        (kept / f"{reader.name.replace(' ', '-')}-{number}-{path.name}").write_bytes(content)
