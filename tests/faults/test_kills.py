"""Exports that are killed again and again end in the bytes of one that was left alone."""

import hashlib
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.programs import command, environment

EXPORT = ["export", "--config", "cpu-int8", "--weights"]
FIRST_USE = ["say", "Hi.", "--seed", "1", "--max-duration", "0.3", "--config", "cpu-int8", "--weights"]
FEW, MANY = ("synthetic-tiny", 2), ("demo", 30)  # weights, and how many kills


def start(arguments: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    """Run `alrakis` in a folder that has its cache too."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(ALRAKIS_CACHE=str(folder / "cache")),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def left(folder: Path) -> dict[str, str]:
    """The hashes of all files in a folder; a manifest has the time of its making, and locks are empty."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("manifest.json", "identities.json") and path.suffix != ".lock"
    }


@pytest.mark.parametrize(
    ("weights", "kills"),
    [pytest.param(*FEW), pytest.param(*MANY, marks=[pytest.mark.faults, pytest.mark.timeout(7200)])],
)
@pytest.mark.parametrize("arguments", [EXPORT, FIRST_USE], ids=["export", "first use"])
def test_what_was_killed_ends_in_the_same_bytes(
    arguments: list[str], weights: str, kills: int, tmp_path: Path
) -> None:
    began = time.monotonic()
    assert start([*arguments, weights], tmp_path / "alone").wait() == 0
    took_s = time.monotonic() - began
    for number in range(kills):
        process = start([*arguments, weights], tmp_path / "killed")
        time.sleep(took_s * (number + 0.8) / kills)  # each a little later than the one before
        process.kill()
        process.wait()
    assert start([*arguments, weights], tmp_path / "killed").wait() == 0
    assert left(tmp_path / "killed") == left(tmp_path / "alone")
