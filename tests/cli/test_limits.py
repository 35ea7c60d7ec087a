"""Processes that may have few threads, files or little memory: a line, or the audio; nothing is lost."""

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.programs import Ended, alrakis_process

BRIEF = ["--max-duration", "0.2", "--seed", "1"]
COMMANDS = {
    "say": ["say", "Hi.", "-o", "a.wav", *BRIEF],
    "read": ["read", "t.txt", "-o", "b.wav", *BRIEF],
    "batch": ["batch", "t.txt", "-o", "rows", *BRIEF],
    "export": ["export", "-o", "made"],
}
HOW = ["--weights", "synthetic-tiny", "--config", "cpu-int8"]
NOBODY = "54321"  # an account without processes: the limit counts all that an account has
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", "--clear-groups"]
CAPABLE = [f"--{kind}-caps=-all,+dac_override,+dac_read_search" for kind in ("inh", "ambient")]


def check(ended: Ended) -> None:
    """Either it worked, or the last line says why not; notes may come before, nothing else."""
    lines = ended.err.splitlines()
    assert ended.code in (0, 1), (ended.code, ended.err)
    assert all(line.startswith("alrakis: ") for line in lines), ended.err
    assert "onnxruntime" not in ended.out  # else it would stand in audio that goes there
    if ended.code:
        assert lines[-1].startswith("alrakis: error: "), ended.err


def memory(megabytes: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return limit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.txt").write_text("Hello.\nI like pizza.\n")
    return tmp_path


@pytest.mark.skipif(
    not shutil.which("setpriv") or os.geteuid() != 0,
    reason="only root can be another account",
)
@pytest.mark.parametrize("threads", [1, 2, 4, 8])
@pytest.mark.parametrize("name", COMMANDS)
def test_few_threads(name: str, threads: int, folder: Path) -> None:
    limited = [*AS_NOBODY, *CAPABLE, "prlimit", f"--nproc={threads}"]
    changes = {"ALRAKIS_CACHE": str(folder / "cache"), "HOME": str(folder), "OMP_NUM_THREADS": "2"}
    check(alrakis_process(*COMMANDS[name], *HOW, folder=folder, through=limited, **changes))


@pytest.mark.parametrize("megabytes", [250, 400, 700, 1200])
@pytest.mark.parametrize("name", COMMANDS)
def test_little_memory(name: str, megabytes: int, folder: Path) -> None:
    limit = memory(megabytes)
    check(alrakis_process(*COMMANDS[name], *HOW, folder=folder, before=limit, OMP_NUM_THREADS="2"))


def files(most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.mark.parametrize("most", [6, 8, 16, 24])
@pytest.mark.parametrize("name", COMMANDS)
def test_few_files(name: str, most: int, folder: Path) -> None:
    ended = alrakis_process(*COMMANDS[name], *HOW, folder=folder, before=files(most), ALRAKIS_CACHE="cache")
    check(ended)
    assert most > 20 or "ulimit -n" in ended.err


@pytest.mark.parametrize("name", ["read", "batch"])
def test_work_that_a_limit_stopped_goes_on_by_the_same_command(name: str, folder: Path) -> None:
    alone = folder / "alone"
    alone.mkdir()
    (alone / "t.txt").write_text((folder / "t.txt").read_text())
    assert alrakis_process(*COMMANDS[name], *HOW, folder=alone).code == 0
    ends = []
    for limit in (files(10), memory(400), memory(700), memory(900), memory(1200)):
        ends.append(alrakis_process(*COMMANDS[name], *HOW, folder=folder, before=limit))
        check(ends[-1])
    assert any(ended.code for ended in ends)
    ended = alrakis_process(*COMMANDS[name], *HOW, folder=folder)
    assert ended.code == 0, ended.err
    assert audio_in(folder, alone) == audio_in(alone)


def audio_in(folder: Path, but: Path | None = None) -> dict[Path, bytes]:
    """All sound in a folder; `but`: a folder in it that does not count."""
    found = (path for path in folder.rglob("*.wav") if but is None or but not in path.parents)
    return {path.relative_to(folder): path.read_bytes() for path in found}
