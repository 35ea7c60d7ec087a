"""Folders by the environment as it is now: variables absent, empty, broken, late; no home."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from alrakis.places.folders import (
    can_be_made,
    expanded,
    folder_variable,
    home,
    hub_cache,
    own_cache,
    temporary_cache,
    user_cache,
    variable,
)

VARIABLES = ("HOME", "XDG_CACHE_HOME", "ALRAKIS_CACHE", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home folder of the test's own, and no variable but HOME."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path


def test_without_variables_caches_are_in_the_home_folder(account: Path) -> None:
    assert home() == account
    assert user_cache() == account / ".cache"
    assert own_cache() == account / ".cache" / "alrakis"
    assert hub_cache() == account / ".cache" / "huggingface" / "hub"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("XDG_CACHE_HOME", user_cache),
        ("ALRAKIS_CACHE", own_cache),
        ("HF_HUB_CACHE", hub_cache),
        ("HUGGINGFACE_HUB_CACHE", hub_cache),
    ],
)
def test_a_variable_counts_as_it_is_now(
    name: str, folder: object, account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(folder)
    usual = folder()
    monkeypatch.setenv(name, "/somewhere")
    assert folder() == Path("/somewhere")
    monkeypatch.setenv(name, "~/mine")
    assert folder() == account / "mine"
    for empty in ("", "  "):
        monkeypatch.setenv(name, empty)
        assert folder() == usual
    monkeypatch.setenv(name, "~nobody-of-this-name/x")
    assert folder() == Path("~nobody-of-this-name/x")


def test_others_follow_from_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert hub_cache() == Path("/xdg/huggingface/hub")
    monkeypatch.setenv("HF_HOME", "/hf")
    assert hub_cache() == Path("/hf/hub")


@pytest.mark.parametrize("value", [None, "", "relative"])
def test_an_account_without_a_home_folder(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def nobody(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.delenv("HOME")
    if value is not None:
        monkeypatch.setenv("HOME", value)
    assert home() is None
    assert user_cache() == temporary_cache()
    assert own_cache() == temporary_cache() / "alrakis"
    assert own_cache().is_absolute()


def test_a_home_that_cannot_be_made(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (account / "file").touch()
    monkeypatch.setenv("HOME", str(account / "file" / "home"))
    assert user_cache() == temporary_cache()
    monkeypatch.setenv("HOME", str(account / "later"))
    assert user_cache() == account / "later" / ".cache"


def test_the_temporary_folder_is_this_accounts_alone(account: Path) -> None:
    folder = temporary_cache()
    assert folder == account / "temporary" / f"alrakis-{os.getuid()}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)  # as another account may have made it, to put files into it
    other = temporary_cache()
    assert other != folder
    assert other == temporary_cache()
    assert stat.S_IMODE(other.stat().st_mode) == 0o700
    folder.rmdir()
    folder.symlink_to(account)
    assert temporary_cache() == other


def test_small_parts(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert variable("HF_HOME") is None
    assert folder_variable("HF_HOME") is None
    assert expanded("~/x") == account / "x"
    assert can_be_made(account)
    assert can_be_made(account / "a" / "b")
    (account / "file").touch()
    assert not can_be_made(account / "file" / "b")


ACCOUNT = """
import os, pwd
def nobody(number): raise KeyError(number)
pwd.getpwuid = nobody
from alrakis.cli import main
main()
"""


@pytest.mark.parametrize(
    ("home", "config"), [(None, "cpu-int8"), ("", "torch-fp32"), (f"{sys.executable}/home", "torch-fp32")]
)
def test_a_containers_user_speaks(home: str | None, config: str, account: Path) -> None:
    """No passwd entry, no home folder, a narrow encoding, a terminal of no width and no kind."""
    command = [sys.executable, "-c", ACCOUNT, "say", "Hi, café.", "--weights", "demo", "-o", "x.wav"]
    command += ["--config", config, "--max-duration", "0.3", "--seed", "1"]
    narrow = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "COLUMNS": "x", "LINES": "", "TERM": "dumb"}
    environment = {**os.environ, **narrow, "TMPDIR": str(account / "temporary"), "OMP_NUM_THREADS": "1"}
    for name in VARIABLES:
        environment.pop(name, None)
    if home is not None:
        environment["HOME"] = home
    done = subprocess.run(command, env=environment, cwd=account, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert (account / "x.wav").stat().st_size > 44
    assert sorted(path.name for path in account.iterdir()) == ["temporary", "x.wav"]
    exported = account / "temporary" / f"alrakis-{os.getuid()}" / "alrakis" / "artifacts"
    assert exported.is_dir() == (config == "cpu-int8")
