"""Accounts that lack what most have: a home, a cache that can be written, a usual umask."""

import os
from pathlib import Path

import pytest
import soundfile

from tests.cli.programs import alrakis_process

SAY = [
    "say",
    "Hi.",
    "--weights",
    "demo",
    "--config",
    "cpu-fp32",
    "--seed",
    "1",
    "--max-duration",
    "0.3",
    "-o",
    "a.wav",
]


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"HOME": "/nowhere/at/all", "ALRAKIS_CACHE": ""}, id="no home"),
        pytest.param({"ALRAKIS_CACHE": "/dev/null/cache"}, id="no cache", marks=pytest.mark.faults),
        pytest.param(
            {"XDG_CACHE_HOME": "/dev/null", "ALRAKIS_CACHE": ""},
            id="no cache folder",
            marks=pytest.mark.faults,
        ),
        pytest.param({"HOME": "", "ALRAKIS_CACHE": ""}, id="an empty home", marks=pytest.mark.faults),
        pytest.param(
            {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}, id="no UTF-8", marks=pytest.mark.faults
        ),
    ],
)
def test_speech_is_made_all_the_same(variables: dict[str, str], tmp_path: Path) -> None:
    ended = alrakis_process(*SAY, folder=tmp_path, **{"XDG_CACHE_HOME": str(tmp_path / "xdg"), **variables})
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    assert len(soundfile.read(tmp_path / "a.wav")[0])


@pytest.mark.faults
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_files_have_the_modes_that_the_umask_leaves(umask: int, tmp_path: Path) -> None:
    ended = alrakis_process(*SAY, folder=tmp_path, before=lambda: os.umask(umask) and None)
    assert ended.code == 0, ended.err
    assert (tmp_path / "a.wav").stat().st_mode & 0o777 == 0o666 & ~umask
