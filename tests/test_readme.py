"""What the README shows must work: its commands are parsed, its tables compared, its Engine example run."""

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import alrakis
from alrakis.__main__ import _parser as original_parser
from alrakis.bench.cli import PARSER as BENCH
from alrakis.bench.figures.tables import make_parser as figures_parser
from alrakis.cli.program import command_parser, make_parser
from alrakis.config import load_config, preset_names
from alrakis.weights import WEIGHTS_NAMES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert found
    return found


def shell_lines() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line]


@pytest.mark.parametrize("line", shell_lines())
def test_commands(line: str) -> None:
    ours = next((part for part in line.split("|") if "alrakis" in part), line)
    words = shlex.split(ours.partition(" > ")[0], comments=True)  # where output goes is the shell's
    if words[0] == "alrakis":
        assert make_parser().parse_args(words[1:]).run
    elif words[:3] == ["python", "-m", "alrakis"]:
        assert original_parser().parse_args(words[3:]).text
    elif words[:3] == ["python", "-m", "alrakis.bench.figures"]:
        assert figures_parser().parse_args(words[3:]).figure
    elif words[0] == "alrakis-bench":
        assert command_parser(*BENCH).parse_args(words[1:]).run
    elif words[0] == "pytest":
        assert (ROOT / words[1]).is_dir()
    elif words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    else:
        assert words[:2] == ["pip", "install"]
        extra = re.fullmatch(r"\.\[(\w+)\]", words[2])
        assert extra
        assert f"\n{extra[1]} = [" in (ROOT / "pyproject.toml").read_text("utf-8")


def test_imported_names_exist() -> None:
    for block in blocks("python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names)


def test_the_engine_example_runs(tmp_path: Path) -> None:
    (example,) = [block for block in blocks("python") if "Engine(" in block]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("seed 7\n")
    assert (tmp_path / "hello.flac").is_file()


def test_the_table_of_configs_is_complete() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|.*\| (yes|no)\b", README, re.MULTILINE)
    assert sorted(rows) == [(name, "yes" if load_config(name).exact else "no") for name in preset_names()]


def test_all_weights_are_named() -> None:
    assert all(f"`{name}`" in README for name in WEIGHTS_NAMES)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists()


def test_the_version_is_the_same_everywhere() -> None:
    assert f'version = "{alrakis.__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
