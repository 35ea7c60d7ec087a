"""Whoever is going to speak is told of everything that is missing at once, before any work, with its size."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alrakis import Engine, api, generation
from alrakis.bench.cli import main as bench_main
from alrakis.default import close_default_engine
from alrakis.errors import WeightsNotFoundError
from tests.cli.programs import Run, environment

CONFIG = "torch-fp32"
FILES = ("text.pt", "coarse.pt", "fine.pt", "encodec_24khz", "vocab.txt")
DEFAULT = {"weights": "bark-small", "config": CONFIG, "silent": True}
WAYS: dict[str, Callable[[Engine], Any]] = {
    "generate": lambda engine: engine.generate("Hello."),
    "a list": lambda engine: engine.generate(["Hello.", "Good morning."]),
    "submit": lambda engine: engine.submit("Hello."),
    "takes": lambda engine: engine.generate("Hello.", takes=2),
    "stream": lambda engine: next(engine.stream("Hello. It is late.")),
    "generate_long": lambda engine: engine.generate_long("Hello. It is late."),
    "submit_long": lambda engine: engine.submit_long("Hello. It is late."),
    "preload": lambda engine: engine.preload(),
    "generate_audio": lambda engine: api.generate_audio("Hello.", **DEFAULT),
    "generate_audio, own engine": lambda engine: api.generate_audio("Hello.", engine=engine),
    "preload_models": lambda engine: generation.preload_models(weights="bark-small", config=CONFIG),
}
PARTS: dict[str, tuple[tuple[str, ...], Callable[[Engine], Any]]] = {
    "text_to_semantic": (("text.pt", "vocab.txt"), lambda e: api.text_to_semantic("Hello.", engine=e)),
    "generate_text_semantic": (
        ("text.pt", "vocab.txt"),
        lambda engine: generation.generate_text_semantic("Hello.", engine=engine),
    ),
    "preload": (("fine.pt", "encodec_24khz"), lambda engine: engine.preload(["fine", "codec"])),
}
COMMANDS: dict[str, list[str]] = {
    "say": ["say", "Hello."],
    "say, takes": ["say", "Hello.", "--takes", "2"],
    "read": ["read", "book.txt", "-o", "book.wav"],
    "batch": ["batch", "book.txt", "-o", "out"],
    "export": ["export", "--precision", "int8"],
    "serve": ["serve", "--port", "0"],
}


def told(message: str, files: tuple[str, ...] = FILES) -> None:
    first = message.splitlines()[0]
    assert first.endswith("not on this machine:")
    for file in FILES:
        assert (file in first) == (file in files), message
    assert message.count("looked in") == len(files)
    assert "will be downloaded" in message


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_in_python(way: Callable[[Engine], Any]) -> None:
    with Engine("bark-small", CONFIG) as engine, pytest.raises(WeightsNotFoundError) as error:
        way(engine)
    close_default_engine()
    told(str(error.value))
    assert 'weights="demo"' in str(error.value)


@pytest.mark.parametrize("name", PARTS)
def test_who_needs_less_is_told_of_less(name: str) -> None:
    files, way = PARTS[name]
    with Engine("bark-small", CONFIG) as engine, pytest.raises(WeightsNotFoundError) as error:
        way(engine)
    told(str(error.value), files)


@pytest.mark.parametrize("name", COMMANDS)
def test_by_a_command(name: str, run: Run) -> None:
    Path("book.txt").write_text("Hello. It is late.")
    config = [] if name == "export" else ["--config", CONFIG]
    ended = run(*COMMANDS[name], "--weights", "bark-small", *config)
    assert ended.code == 1
    said = ended.err.partition("alrakis: error: ")[2]
    told(said)
    assert "--weights demo" in said
    assert [path.name for path in Path().iterdir()] == ["book.txt"], "nothing was begun"


@pytest.mark.parametrize("command", ["run", "tune"])
def test_by_the_benchmark(command: str, run: Run) -> None:
    ended = run(command, "--weights", "bark-small", "-o", "x", program=bench_main)
    assert ended.code == 1
    told(ended.err.partition("alrakis: error: ")[2])
    assert not list(Path().iterdir())


def test_by_the_originals_flags(tmp_path: Path) -> None:
    words = ["--text", "Hello.", "--weights", "bark-small", "--config", CONFIG]
    command = [sys.executable, "-m", "alrakis", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    told(done.stderr.partition("alrakis: error: ")[2])
    assert "Traceback" not in done.stderr


def test_a_mistake_is_told_before_anything_is_looked_for(run: Run) -> None:
    weights = ["--weights", "bark-small", "--config", CONFIG]
    Path("book.txt").write_text("Hello. It is late.")
    for words in (["say", "Hello."], ["read", "book.txt", "-o", "book.wav"]):
        for more, mistake in ((["--voice", "nobody"], "nobody"), (["--seed", "-1"], "seed")):
            ended = run(*words, *weights, *more)
            assert ended.code == 2, ended.err
            assert mistake in ended.err
            assert "not on this machine" not in ended.err
