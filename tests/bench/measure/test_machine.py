"""The environment of a result."""

import subprocess
from pathlib import Path

from alrakis.bench.measure.machine import git_revision


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_checkout_has_a_revision_and_a_changed_one_says_so(tmp_path: Path) -> None:
    assert git_revision(tmp_path) is None
    git(tmp_path, "init")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "x")
    revision = git_revision(tmp_path)
    assert revision
    assert len(revision) == 12
    (tmp_path / "file").write_text("2")
    assert git_revision(tmp_path) == f"{revision}-dirty"
