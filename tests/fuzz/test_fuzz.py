"""The fuzzers themselves: they find what is wrong, and a short run of all readers finds nothing."""

import faulthandler
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.books.epubs import HOSTILE
from tests.fuzz import trap
from tests.fuzz.mutate import damage_bytes
from tests.fuzz.reader import Reader
from tests.fuzz.readers import READERS
from tests.fuzz.seeds import write_seeds
from tests.fuzz.worker import COUNTS, MOST, fuzz

ROOT = Path(__file__).parents[2]


def test_a_short_run_finds_nothing() -> None:
    """Over other inputs than the long run has."""
    command = [sys.executable, "-m", "tests.fuzz", "--inputs", "1500", "--first", "5000000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [re.split(r" *\| *", line)[1:-1] for line in done.stdout.splitlines()]
    assert rows[0] == ["reader", *COUNTS, *MOST, "time"]
    assert [row[0] for row in rows[2:]] == [*(reader.name for reader in READERS), "all"]
    least = 1500 // sum(reader.share for reader in READERS)
    assert all(int(row[1].replace(",", "")) >= least for row in rows[2:])


def hang(folder: Path) -> None:
    time.sleep(1000)


def work_on(folder: Path) -> None:
    while True:
        pass


def use_memory(folder: Path) -> None:
    assert len(b"x" * (600 << 20))


def write_outside(folder: Path) -> None:
    (folder.parents[3] / "outside").write_bytes(b"")


def run_code(folder: Path) -> None:
    trap.spring()


def kill(folder: Path) -> None:
    faulthandler.disable()  # it is no news
    os.kill(os.getpid(), 11)


def raise_anything(folder: Path) -> None:
    raise BaseException("a panic")


@pytest.mark.parametrize(
    ("read", "counted"),
    [
        (raise_anything, "tracebacks"),
        (hang, "hangs"),
        (work_on, "hangs"),
        (use_memory, "memory"),
        (kill, "signals"),
        (run_code, "code run"),
        (write_outside, "files outside"),
    ],
)
def test_what_goes_wrong_is_counted_and_not_the_end(
    read: object, counted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if counted == "hangs":
        monkeypatch.setattr("tests.fuzz.worker.MOST_S", 0.5 if read is hang else 3600)
        monkeypatch.setattr("tests.fuzz.worker.MOST_CPU_S", 0.5)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "seeds"))
    (tmp_path / "seeds" / "bad" / "case").mkdir(parents=True)
    (tmp_path / "seeds" / "bad" / "case" / "file").write_bytes(b"some bytes")
    shared = fuzz(Reader("bad", {"": damage_bytes}, read), tmp_path / "seeds", 0, 2, time.monotonic() + 3600)  # type: ignore[arg-type]
    assert (shared.count("inputs"), shared.count(counted)) == (2, 2)
    assert (shared.most("MB") > 600) == (counted == "memory")


def test_the_slowest_input_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "seeds"))
    (tmp_path / "seeds" / "slow" / "case").mkdir(parents=True)
    (tmp_path / "seeds" / "slow" / "case" / "file").write_bytes(b"some bytes")
    took = iter([0.1, 0.4, 0.1])

    def work(folder: Path) -> None:
        ends = time.process_time() + next(took)
        while time.process_time() < ends:
            pass

    shared = fuzz(Reader("slow", {"": damage_bytes}, work), tmp_path / "seeds", 0, 3, time.monotonic() + 3600)
    assert 0.4 <= shared.most("s") < 1


def test_an_input_is_the_same_every_time() -> None:
    assert damage_bytes(Random("a 1"), bytes(100)) == damage_bytes(Random("a 1"), bytes(100))
    assert damage_bytes(Random("a 1"), bytes(100)) != damage_bytes(Random("a 2"), bytes(100))


# Their files are of no whole model, or of nothing that is looked for: they are refused in the end.
NOT_WHOLE = {"torch checkpoint", "transformers folder"}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeds")
    write_seeds(folder)
    return folder


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_what_is_not_damaged_is_not_refused(reader: Reader, seeds: Path) -> None:
    """A fuzzer whose every input is refused at the door finds nothing."""
    for case in sorted((seeds / reader.name).iterdir()):
        if reader.name not in NOT_WHOLE and case.name not in HOSTILE:
            reader.read(case)
