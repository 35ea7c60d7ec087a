"""Python in a process of its own."""

import subprocess
import sys
import textwrap
from pathlib import Path


def run_python(code: str, folder: Path) -> "subprocess.Popen[str]":
    """Start some code in a folder; its output can be read."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
