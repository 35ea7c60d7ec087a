"""`make` tells of an interpreter that is too old before pip runs, and recovers from a `.venv` of another."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / ".ci" / "venv"


def fake(path: Path, version: str) -> str:
    """An interpreter of some version, which makes environments of itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'#!/bin/sh\nif [ "$1" = -c ]; then echo {version}; exit; fi\n'
        f'mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo made "$3" with {version}\n'
    )
    path.chmod(0o755)
    return str(path)


def venv(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run([str(SCRIPT), *arguments], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_an_interpreter_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    for version in ("3.9", "2.7", "3.14"):
        code, said = venv(tmp_path, fake(tmp_path / "python", version), ".venv")
        assert code == 1
        assert f"is {version}. Choose one: PYTHON=python3.12 make" in said
    code, said = venv(tmp_path, "no-such-python", ".venv")
    assert code == 1
    assert "no-such-python is not there" in said
    assert not (tmp_path / ".venv").exists()


def test_what_is_there_is_kept_while_it_can_be_used(tmp_path: Path) -> None:
    old, new = (fake(tmp_path / version, version) for version in ("3.11", "3.12"))
    assert venv(tmp_path, old, ".venv") == (0, "made .venv with 3.11\n")
    assert venv(tmp_path, new, ".venv") == (0, "")
    assert venv(tmp_path, old, ".venv", "chosen") == (0, "")
    code, said = venv(tmp_path, new, ".venv", "chosen")
    assert code == 0
    assert "made anew with Python 3.12" in said
    fake(tmp_path / ".venv" / "bin" / "python", "3.8")
    assert "made .venv with 3.11" in venv(tmp_path, old, ".venv")[1]


def test_one_whose_python_is_gone_is_made_anew(tmp_path: Path) -> None:
    python = fake(tmp_path / "python", "3.12")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    os.symlink(tmp_path / "removed", tmp_path / ".venv" / "bin" / "python")
    code, said = venv(tmp_path, python, ".venv")
    assert code == 0
    assert "which does not run" in said
    assert (tmp_path / ".venv" / "bin" / "python").is_file()
