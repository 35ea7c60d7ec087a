"""What README and docs/ show is run, with the extras that the page names and no other."""

import ast
import functools
import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import COMMANDS, PAGES, PROJECT, ROOT, blocks

TEXT = "The train was late.\n\nIt is going to rain.\n"
GIVEN = {
    "letter.txt": TEXT,
    "book.txt": TEXT,
    "play.txt": "MAN: It is late.\nWOMAN: We like pizza.\n",
    "texts.txt": "I like pizza.\nIt is late.\n",
    "texts.jsonl": '{"text": "I like pizza.", "id": "pizza"}\n{"text": "No.", "voice": "demo/rms"}\n',
}
UNLIKELY = ("v2/", "preload_models(", "serve", "--listen")  # weights, for ever
WITH_A_SERVER = "docs/serve.md"  # tests/serve/test_docs.py runs what it shows
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
BACKENDS = {"cpu", "torch", "gpu"}

# sitecustomize.py, which the interpreter imports before all else: some packages are not there after it
WITHOUT = """
import sys
from importlib.machinery import PathFinder

modules, packages = {modules!r}, {packages!r}

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in modules else super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, *context):
        found = super().find_distributions(*context)
        return (one for one in found if one.metadata["Name"].lower().replace("_", "-") not in packages)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


def runs(line: str) -> bool:
    """Whether a command needs nothing but the demo voice and the files that are given."""
    if any(word in line for word in UNLIKELY):
        return False
    reads = r"alrakis (info|voices|read book.txt|export --clean -o)|alrakis-bench (compare|report)"
    return "--weights demo" in line or re.match(reads, line) is not None


def needed_by(package: str) -> set[str]:
    """A package and what it needs, as far as it is installed here."""
    found, left = set(), [package]
    while left:
        name = re.split(r"[^\w.-]", left.pop())[0].lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        left += [other for other in requires if "extra ==" not in other]
    return found


def named_extras(page: str) -> set[str]:
    """The extras that a page names besides those that choose a backend: of those, `cpu` is enough."""
    lists = re.findall(r"pip\s+install\s+'(?:alrakis|\.)\[([\w,]+)\]'|extra `(\w+)`", PAGES[page])
    return {name for pair in lists for one in pair for name in one.split(",") if name} - BACKENDS | {"cpu"}


@functools.cache
def absent(page: str) -> set[str]:
    """The packages that other extras bring than those that a page names."""
    here = [package for extra in named_extras(page) for package in EXTRAS[extra]]
    always = ["alrakis", "setuptools", *PROJECT["project"]["dependencies"]]
    there = {name for one in [*here, *always] for name in needed_by(one)}
    return {name for packages in EXTRAS.values() for one in packages for name in needed_by(one)} - there


@functools.cache
def modules_without(page: str) -> set[str]:
    """The modules that those packages alone bring."""
    owners = importlib.metadata.packages_distributions().items()
    packages = absent(page)
    return {name for name, own in owners if {one.lower().replace("_", "-") for one in own} <= packages}


def environment(page: str, folder: Path) -> dict[str, str]:
    """With the `alrakis` of this interpreter, on two threads at the most, whatever else is at work here."""
    place = folder / "installed" / Path(page).stem
    place.mkdir(parents=True, exist_ok=True)
    program = WITHOUT.format(packages=absent(page), modules=modules_without(page))
    (place / "sitecustomize.py").write_text(program, "utf-8")
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(place), "OMP_NUM_THREADS": "2"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that examples name, and a player that listens without a sound card."""
    folder = tmp_path_factory.mktemp("examples")
    for name, text in GIVEN.items():
        (folder / name).write_text(text, "utf-8")
    for name in ("mine.json", "before.json", "after.json"):
        shutil.copy(next((ROOT / "bench" / "results").glob("*.json")), folder / name)
    for page, name in (("docs/long-texts.md", "names.toml"), ("docs/configs.md", "mine.toml")):
        (block,) = blocks(page, "toml")
        (folder / name).write_text(block, "utf-8")
    player = folder / "bin" / "aplay"
    player.parent.mkdir()
    player.write_text("#!/bin/sh\ntest $(wc -c) -gt 1000\n", "utf-8")
    player.chmod(0o755)
    return folder


# a command that several pages show is run once; each has the files that those before it made
RUN = {line.partition("  #")[0].strip(): page for page, line in reversed(COMMANDS) if runs(line)}


@pytest.mark.parametrize(("page", "line"), [(page, line) for line, page in reversed(RUN.items())])
def test_commands_run(page: str, line: str, folder: Path) -> None:
    command = ["bash", "-euo", "pipefail", "-c", line]
    done = subprocess.run(command, cwd=folder, env=environment(page, folder), capture_output=True, text=True)
    assert done.returncode == 0, f"{page}: {line}\n{done.stderr}"
    for file in re.findall(r"(?<=-o )[\w.]+", line):
        assert (folder / file).exists()


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python") and p != WITH_A_SERVER])
def test_python_examples(page: str, folder: Path) -> None:
    """Every block parses and its imports exist; those that need the demo voice alone run, in their order."""
    examples = blocks(page, "python")
    for block in examples:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names)
    program = "\n".join(block for block in examples if not any(word in block for word in UNLIKELY))
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=folder, env=environment(page, folder), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "s of audio" in done.stdout
    for file in re.findall(r'save(?:_voice)?\("([^"]+)"\)', program):
        assert (folder / file).is_file()


def test_what_no_page_names_is_absent_from_its_examples(folder: Path) -> None:
    """The readme is for who has the extra `cpu`; a page that names another extra is for who has that, too."""
    readme, bench, long = map(absent, ("README.md", "docs/bench.md", "docs/long-texts.md"))
    assert {"torch", "accelerate", "rich", "scipy", "fastapi", "av", "obstore", "ray"} <= readme
    assert not {"numpy", "onnxruntime", "soundfile", "pydantic", "tqdm"} & readme
    assert not {"rich", "scipy", "jinja2"} & bench
    assert "av" not in long
    program = "import importlib.util as u; print([u.find_spec(name) for name in ('torch', 'rich', 'numpy')])"
    command = [sys.executable, "-c", program]
    said = subprocess.check_output(command, env=environment("README.md", folder), text=True)
    assert said.startswith("[None, None, ModuleSpec(")
