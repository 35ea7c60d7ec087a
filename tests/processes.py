"""Python in a process of its own, and where it may listen."""

import socket
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


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
