"""Standard output that takes nothing more: every command says that it is that, and nothing worse comes."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from alrakis.bench.commands import COMMANDS as BENCH_COMMANDS
from alrakis.cli.commands import COMMANDS
from tests.bench.results import AROUND_1, results, saved
from tests.cli.programs import command, environment

FULL = Path("/dev/full")
QUICK = ["--weights", "synthetic-tiny", "--config", "cpu-fp32", "--max-duration", "0.2", "-q"]
PRINTS = {
    "help": ["--help"],
    "version": ["--version"],
    "say --help": ["say", "--help"],
    "say into a pipe": ["say", "Hello", "-o", "-", *QUICK],
    "say --json": ["say", "Hello", "--json", *QUICK],
    "read --stream": ["read", "book.txt", "--stream", *QUICK],
    "read --stream pcm": ["read", "book.txt", "--stream", "pcm", *QUICK],
    "read --json": ["read", "book.txt", "-o", "book.wav", "--json", *QUICK],
    "read --list": ["read", "book.txt", "--list"],
    "batch --json": ["batch", "book.txt", "-o", "out", "--json", *QUICK],
    "voices": ["voices"],
    "voices --json": ["voices", "--json"],
    "export": ["export", "--weights", "synthetic-tiny", "--precision", "fp32"],
    "export --clean": ["export", "--clean", "-o", "."],
    "info": ["info"],
    "completion": ["completion", "bash"],
}
BENCH_PRINTS = {
    "help of the benchmark": ["--help"],
    "peers": ["peers", "list"],
    "compare": ["compare", "x.json"],
}
NOT_TRIED = {"serve", "report", "submit", "results"}  # they print nothing there
LATE = {"run", "tune"}  # they print as `compare` does, when they have measured


def ended(program: str, arguments: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[bytes]":
    with FULL.open("wb") as full:
        return subprocess.run(
            command(*arguments, program=program),
            cwd=folder,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(PYTHONWARNINGS="error"),
        )


def test_every_command_that_prints_is_tried() -> None:
    tried = {arguments[0] for arguments in (*PRINTS.values(), *BENCH_PRINTS.values())}
    assert {command.NAME for command in (*COMMANDS, *BENCH_COMMANDS)} - tried == NOT_TRIED | LATE


@pytest.mark.skipif(not os.path.exists(FULL), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        *(("alrakis.cli", arguments) for arguments in PRINTS.values()),
        *(("alrakis.bench.cli", arguments) for arguments in BENCH_PRINTS.values()),
    ],
    ids=[*PRINTS, *BENCH_PRINTS],
)
def test_standard_output_is_named(program: str, arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("I like pizza.")
    saved(tmp_path, "x", results({"a": AROUND_1, "b": AROUND_1}))
    done = ended(program, arguments, tmp_path)
    said = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert said[-1].startswith("alrakis: error: cannot write to standard output: No space left on device")
    assert "Traceback" not in done.stderr.decode()
