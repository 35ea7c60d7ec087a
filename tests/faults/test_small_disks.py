"""Disks of every small size: a file is whole, or there is none and the command says so."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.cli.programs import alrakis_process

SAY = [
    "say",
    "Hello there.",
    "--weights",
    "demo",
    "--config",
    "cpu-fp32",
    "--seed",
    "1",
    "--max-duration",
    "1",
]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder where disks can be mounted; what is mounted there is gone afterwards."""
    folder = tmp_path / "disk"
    folder.mkdir()
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def mount(folder: Path, size: str) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")


@pytest.mark.faults
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_file_is_whole_or_not_there(kind: str, disk: Path, tmp_path: Path) -> None:
    whole = tmp_path / f"whole.{kind}"
    assert alrakis_process(*SAY, "-o", str(whole), folder=tmp_path).code == 0
    samples = len(soundfile.read(whole)[0])
    codes = set()
    for pages in range(1, whole.stat().st_size // 4096 + 3):
        mount(disk, f"{4 * pages}k")
        path = disk / f"a.{kind}"
        ended = alrakis_process(*SAY, "-o", str(path), folder=tmp_path)
        codes.add(ended.code)
        if ended.code == 0:
            assert len(soundfile.read(path)[0]) == samples
        else:
            assert "Traceback" not in ended.err
            assert str(path) in ended.err
            assert not list(disk.iterdir())
    assert 0 in codes
    assert len(codes) > 1
