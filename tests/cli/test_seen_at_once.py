"""On a terminal something is seen before anything is imported that takes long, whatever the command."""

import re
from pathlib import Path

import pytest

from alrakis.bench.commands import COMMANDS as BENCH_COMMANDS
from alrakis.cli.commands import COMMANDS
from tests.cli.programs import TINY, Terminal

# a program that tells when it comes to packages that take long to import, each once
LOOKED_AT = """
import os, sys
slow = ["numpy", "torch", "onnxruntime", "onnx", "pydantic", "scipy", "rich", "soundfile", "tokenizers",
        "huggingface_hub", "ray", "fastapi", "uvicorn", "jinja2", "pynvml", "inflect", "sentencex"]

class Look:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in slow:
            slow.remove(name)
            os.write(2, f"<{name}>".encode())

sys.meta_path.insert(0, Look)
"""
ALRAKIS = {
    "say": ["say", "Hello"],
    "say into a pipe": ["say", "Hello", "-o", "-"],
    "say with JSON": ["say", "Hello", "--json", *TINY],
    "say and listen": ["say", "Hello", "--takes", "2", "--listen", "nowhere", *TINY],
    "read": ["read", "book.txt", "-o", "book.flac", *TINY],
    "read a page": ["read", "page.html", "-o", "page.flac", *TINY],
    "read --stream": ["read", "book.txt", "--stream"],
    "read --list": ["read", "book.txt", "--list"],
    "read --list of work": ["read", "book.txt", "-o", "book.flac", "--list"],
    "batch": ["batch", "texts.txt", "-o", "out", *TINY],
    "serve": ["serve", "--weights", "synthetic-tiny", "--port", "0"],
    "voices": ["voices"],
    "voices --json": ["voices", "--json"],
    "export": ["export", "--weights", "synthetic-tiny", "--precision", "int8"],
    "export --check": ["export", "--weights", "synthetic-tiny", "--precision", "int8", "--check"],
    "export --verify": ["export", "--weights", "synthetic-tiny", "--precision", "int8", "--verify"],
    "export --clean": ["export", "--clean", "-o", "."],
    "info": ["info"],
    "info --json": ["info", "--json"],
    "completion": ["completion", "bash"],
}
BENCH = {
    "run": ["run", "--weights", "synthetic-tiny"],
    "compare": ["compare", "nowhere.json"],
    "report": ["report", "nowhere.json"],
    "peers": ["peers", "list"],
    "peers install": ["peers", "install", "nowhere"],
    "peers remove": ["peers", "remove", "nowhere"],
    "submit": ["submit", "nowhere.json"],
    "results": ["results", "."],
    "tune": ["tune", "--budget", "1s", "--weights", "synthetic-tiny"],
    "tune --quick": ["tune", "--quick", "--budget", "1s"],
    "tune --forget": ["tune", "--forget"],
}
MODULES = {
    "alrakis": ["--text", "Hello", *TINY[:4]],
    "alrakis.bench.figures": ["decode", "--weights", "synthetic-tiny"],
}
EVERY = [
    *(("alrakis.cli", arguments) for arguments in ALRAKIS.values()),
    *(("alrakis.bench.cli", arguments) for arguments in BENCH.values()),
]


def seen_first(terminal: Terminal) -> str:
    """What a program shows before it comes to the first package that takes long, or until it ends."""
    while "<" not in terminal.shown and terminal._read():
        pass
    terminal.process.kill()
    terminal.read_to_end()
    return re.sub(r"\x1b\[\w|\s", "", terminal.shown.partition("<")[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "book.txt").write_text("The train was late. It is going to rain.")
    (tmp_path / "texts.txt").write_text("I like pizza.\n")
    (tmp_path / "page.html").write_text("<p>I like pizza.</p>")
    return tmp_path


def test_every_command_is_tried() -> None:
    assert {arguments[0] for arguments in ALRAKIS.values()} == {command.NAME for command in COMMANDS}
    assert {arguments[0] for arguments in BENCH.values()} == {command.NAME for command in BENCH_COMMANDS}


@pytest.mark.parametrize(("program", "arguments"), EVERY, ids=[*ALRAKIS, *BENCH])
def test_something_is_seen_before_the_first_slow_import(
    program: str, arguments: list[str], folder: Path, cache: Path
) -> None:
    assert seen_first(Terminal(*arguments, folder=folder, program=program, first=LOOKED_AT))


@pytest.mark.parametrize("module", MODULES)
def test_so_it_is_with_modules_that_are_commands(module: str, folder: Path, cache: Path) -> None:
    first = f"{LOOKED_AT}\nimport runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    assert seen_first(Terminal(*MODULES[module], folder=folder, first=first))
