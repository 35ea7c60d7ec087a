"""Success means that all of it is on the disk: every format, at many sizes of a disk that fills up."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import run_python

PROGRAM = """
import os, resource, sys
import numpy as np, soundfile
from alrakis.audio import save_audio, save_pieces
from alrakis.errors import OutputError

def limit(count):
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, resource.RLIM_INFINITY))

extension, seconds = sys.argv[1], 1
noise = np.random.default_rng(0).uniform(-0.5, 0.5, 24_000 * seconds).astype(np.float32)
pieces = np.array_split(noise, 3)
tags = {"title": "x", "text": "y" * 300}
writes = {
    "whole": lambda path: save_audio(path, noise, 24_000, tags),
    "pieces": lambda path: save_pieces(path, pieces, 24_000, tags),
}
for name, write in writes.items():
    full = os.path.getsize(write(f"full.{extension}"))
    frames = soundfile.info(f"full.{extension}").frames
    os.remove(f"full.{extension}")
    sizes = {0, 100, 4096, full // 2, *(full - count for count in (5000, 200, 1, 0))}
    for size in sorted(sizes):
        limit(max(0, size))
        try:
            write(f"x.{extension}")
            told = False
        except OutputError as error:
            assert "cannot write x." in str(error) and "nothing was changed" in str(error), error
            told = True
        limit(resource.RLIM_INFINITY)
        assert told == (size < full), (name, size, full)
        if told:
            assert os.listdir() == [], os.listdir()
        else:
            assert soundfile.info(f"x.{extension}").frames == frames
            os.remove(f"x.{extension}")
"""


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_a_file_that_does_not_fit_is_told_at_every_size(tmp_path: Path, extension: str) -> None:
    process = run_python(f"import sys; sys.argv = ['x', {extension!r}]\n{PROGRAM}", tmp_path)
    _, err = process.communicate()
    assert process.returncode == 0, err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 128 kB in memory; only root can make one."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(tmp_path)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no disk can be mounted here")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a disk")
@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_a_disk_that_is_full_leaves_what_was_there(small_disk: Path, extension: str) -> None:
    process = run_python(
        f"""
        import os
        import numpy as np, soundfile
        from alrakis.audio import save_pieces
        from alrakis.errors import OutputError
        noise = np.random.default_rng(0).uniform(-0.5, 0.5, 24_000).astype(np.float32)
        save_pieces("x.{extension}", [noise], 24_000, dict())
        before = open("x.{extension}", "rb").read()
        told = 0
        for seconds in range(1, 40, 6):
            try:
                save_pieces("x.{extension}", [noise] * seconds, 24_000, dict())
                assert soundfile.info("x.{extension}").frames >= 24_000 * seconds
                before = open("x.{extension}", "rb").read()
            except OutputError as error:
                assert "No space left" in str(error), error
                assert open("x.{extension}", "rb").read() == before
                told += 1
            assert os.listdir() == ["x.{extension}"], os.listdir()
        assert told
        """,
        small_disk,
    )
    _, err = process.communicate()
    assert process.returncode == 0, err
