"""README and docs/ say what is true: examples run, commands parse, tables are the code's, links work."""

import dataclasses
import fnmatch
import inspect
import json
import os
import re
import shlex
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic.fields import FieldInfo

import alrakis
from alrakis.__main__ import _parser as original_parser
from alrakis.bench.cli import PARSER as BENCH
from alrakis.bench.figures.tables import FIGURES
from alrakis.bench.figures.tables import make_parser as figures_parser
from alrakis.bench.gpu.__main__ import make_parser as gpu_parser
from alrakis.bench.record.names import SCENARIOS
from alrakis.bench.session.plan import SUITES
from alrakis.bench.targets.peers import PEERS
from alrakis.cli.program import command_parser, make_parser
from alrakis.config import Config, load_config, preset_names
from alrakis.engine import Engine
from alrakis.jobs.batch_texts import FIELDS
from alrakis.long.pieces import LongResult, Piece
from alrakis.result import Result
from alrakis.sampling import Options
from alrakis.timings import Timings
from alrakis.weights import WEIGHTS_NAMES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PATHS = [*(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")), *ROOT.glob("docs/*.md")]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(PATHS)}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MAX_CHARS, README_LINES = 110, 165

every_page = pytest.mark.parametrize("page", PAGES)


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)


def prose(page: str) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```", "", PAGES[page], flags=re.MULTILINE | re.DOTALL)


def section(page: str, title: str) -> str:
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGES[page], re.MULTILINE | re.DOTALL)
    return str(found)


def rows(text: str) -> list[list[str]]:
    """The cells of the tables in a text, heads and rules left out."""
    lines = [line.strip("| ") for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r"\s*\|\s*", line) for line in lines]
    rules = {number for number, line in enumerate(lines) if set(line) <= set("-|")}
    return [row for number, row in enumerate(cells) if not {number, number + 1} & rules]


def in_code(page: str) -> list[str]:
    """What stands between backticks in a page's prose."""
    return [re.sub(r"\s+", " ", code) for code in re.findall(r"`([^`]+)`", prose(page))]


def lines_of(page: str) -> list[str]:
    return [line for block in blocks(page, "sh") for line in block.splitlines() if line]


# commands


COMMANDS = [(page, line) for page in PAGES for line in lines_of(page)]


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_commands_parse(page: str, line: str) -> None:
    ours = next((part for part in line.split(" | ") if "alrakis" in part), line)
    words = shlex.split(ours.partition(" > ")[0], comments=True)  # where output goes is the shell's
    if words[0] == "alrakis":
        assert make_parser().parse_args(words[1:]).run
    elif words[:3] == ["python", "-m", "alrakis"]:
        assert original_parser().parse_args(words[3:]).text
    elif words[:3] == ["python", "-m", "alrakis.bench.figures"]:
        assert figures_parser().parse_args(words[3:]).figure
    elif words[:3] == ["python", "-m", "alrakis.bench.gpu"]:
        assert gpu_parser().parse_args(words[3:]).out
    elif words[0] == "alrakis-bench":
        assert command_parser(*BENCH).parse_args(words[1:]).run
    elif words[0] == "pytest":
        assert (ROOT / words[1]).is_dir()
    elif words[0] == "curl":
        assert page == "docs/serve.md"  # tests/serve/test_docs.py runs what it shows
    elif words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    elif words[:2] == ["pip", "install"]:
        extra = re.fullmatch(r"\.\[(\w+)\]", words[2])
        assert extra
        assert extra[1] in PROJECT["project"]["optional-dependencies"]
    else:
        assert os.access(ROOT / words[0], os.X_OK)


def options_of(parser: ArgumentParser) -> dict[str, set[str]]:
    """The options of each command of a program."""
    (commands,) = (action for action in parser._actions if isinstance(action, _SubParsersAction))
    return {name: set(command._option_string_actions) for name, command in commands.choices.items()}


PROGRAMS = {"alrakis": options_of(make_parser()), "alrakis-bench": options_of(command_parser(*BENCH))}


@every_page
def test_commands_in_a_sentence_are_ours(page: str) -> None:
    known = {option for commands in PROGRAMS.values() for options in commands.values() for option in options}
    known |= set(figures_parser()._option_string_actions)
    for code in in_code(page):
        program, *words = code.split()
        options = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help"}
        if program in PROGRAMS and words and not words[0].startswith("-"):
            assert words[0] in PROGRAMS[program], f"{page}: {code}"
            assert options <= PROGRAMS[program][words[0]], f"{page}: {code}"
        elif code.startswith("--") and page != "CONTRIBUTING.md":
            assert program.partition("=")[0] in known | {"--size"}, f"{page}: {code}"  # of `pytest bench/`


def test_every_command_is_told() -> None:
    everything = "\n".join(PAGES.values())
    for program, commands in PROGRAMS.items():
        assert all(f"{program} {command}" in everything for command in commands)


# tables


def test_the_config_file_that_is_shown_is_one(tmp_path: Path) -> None:
    (block,) = blocks("docs/configs.md", "toml")
    (tmp_path / "mine.toml").write_text(block, "utf-8")
    assert load_config(tmp_path / "mine.toml").model_dump().items() >= tomllib.loads(block).items()


def test_the_table_of_configs_is_complete() -> None:
    told = {row[0]: row[-1] for row in rows(section("README.md", "Configs"))}
    assert told == {f"`{name}`": "yes" if load_config(name).exact else "no" for name in preset_names()}


def test_what_presets_set() -> None:
    told: dict[str, dict[str, Any]] = {}
    items = re.findall(r"^- `([\w-]+)`: (.*(?:\n  .*)*)", section("docs/configs.md", "Presets"), re.MULTILINE)
    for name, said in items:
        base = re.match(r"as `([\w-]+)`", said)
        keys = re.findall(r"`(\w+ = [^`]+)`", said)
        told[name] = (told[base[1]] if base else {}) | tomllib.loads("\n".join(keys))
    assert sorted(told) == preset_names()
    for name, keys in told.items():
        file = load_config(name).model_dump(exclude_defaults=True, exclude={"name", "summary", "trades"})
        assert keys == file, name


def test_what_is_not_exact_says_what_it_trades() -> None:
    titles = " ".join(re.findall(r"^### (.*)$", PAGES["docs/exactness.md"], re.MULTILINE))
    told = set(re.findall(r"`([\w-]+)`", titles))
    assert told == {name for name in preset_names() if not load_config(name).exact}


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "unset" if field.default is None else f"`{json.dumps(field.default)}`"


def allowed_of(field: FieldInfo) -> str | None:
    """The numbers that a key takes, in words; None for other keys."""
    bounds = {
        name: f"{getattr(one, name):g}"
        for one in field.metadata
        for name in ("gt", "ge", "le")
        if hasattr(one, name)
    }
    if not bounds:
        return None
    low = f"over {bounds['gt']}" if "gt" in bounds else bounds["ge"]
    return f"{low} to {bounds['le']}" if "le" in bounds else low if "gt" in bounds else f"{low} and over"


def choices(kind: Any) -> Iterator[str]:
    """The words that a type allows."""
    for part in get_args(kind):
        if isinstance(part, str):
            yield part
        elif get_origin(part) is not None:
            yield from choices(part)


def test_every_key_of_a_config_is_told() -> None:
    told = {row[0].strip("`"): row[1:] for row in rows(PAGES["docs/configs.md"])}
    assert told.keys() == Config.model_fields.keys()
    for key, field in Config.model_fields.items():
        default, allowed, _ = told[key]
        assert default == default_of(field), key
        assert allowed_of(field) in (None, allowed), key
        assert all(f"`{word}`" in PAGES["docs/configs.md"] for word in choices(field.annotation)), key


def test_options_are_told_with_their_defaults() -> None:
    told = {row[0].strip("`"): row[1] for row in rows(section("docs/python.md", "Options"))}
    assert told == {field.name: repr(field.default) for field in dataclasses.fields(Options)}


def test_results_and_arguments_are_told() -> None:
    told = {row[0].strip("`") for row in rows(section("docs/python.md", "Results"))}
    assert told == {field.name for field in dataclasses.fields(Result)}
    said = set(in_code("docs/python.md"))
    for kind in (Piece, LongResult, Timings):
        assert {field.name for field in dataclasses.fields(kind)} <= said
    for method in (Engine.generate, Engine.stream, Engine.generate_long):
        assert set(inspect.signature(method).parameters) - {"self", "changes"} <= said


def test_names_are_told() -> None:
    assert set(WEIGHTS_NAMES) <= set(in_code("docs/weights.md"))
    assert {*SUITES, *SCENARIOS, *PEERS, *FIGURES} <= set(in_code("docs/bench.md"))
    told = {row[0].strip("`") for row in rows(section("docs/long-texts.md", "Say many texts"))}
    assert told == set(FIELDS)
    assert set(alrakis.__all__) <= {word for page in PAGES for word in re.findall(r"\w+", PAGES[page])}


@pytest.mark.parametrize("figure", [name for name in FIGURES if name != "harness"])
def test_every_figure_is_in_performance(figure: str) -> None:
    assert f"alrakis.bench.figures {figure}" in PAGES["docs/performance.md"]


def test_every_dependency_has_a_reason() -> None:
    told = {row[0] for row in rows(section("CONTRIBUTING.md", "Dependencies, and why each"))}
    assert told == {re.split(r"\W*[>=<;]", one)[0] for one in PROJECT["project"]["dependencies"]}
    for extra, packages in PROJECT["project"]["optional-dependencies"].items():
        assert f"- `{extra}`: " in PAGES["CONTRIBUTING.md"]
        for package in (re.split(r"[>=<\[]", one)[0] for one in packages):
            assert re.search(rf"\b{package}\b", PAGES["CONTRIBUTING.md"]), package


def test_every_marker_is_told() -> None:
    markers = [line.partition(":")[0] for line in PROJECT["tool"]["pytest"]["ini_options"]["markers"]]
    assert [row[0] for row in rows(section("CONTRIBUTING.md", "Tests"))][1:] == [f"`{m}`" for m in markers]


# names and links


def test_the_tree_is_the_tree() -> None:
    tree = re.findall(r"^```\n(.*?)^```", PAGES["docs/architecture.md"], re.MULTILINE | re.DOTALL)[0]
    parents: list[str] = []
    told = []
    for indent, name in re.findall(r"^( *)(\S+)", tree, re.MULTILINE):
        parents[len(indent) // 2 :] = [name]
        told.append("".join(parents))
    for path in told:
        assert (ROOT / path).exists(), f"docs/architecture.md: {path}"
    settings = PROJECT["tool"]["setuptools"]
    for package in settings["packages"]:
        names = settings["package-dir"].get(package.rpartition(".")[0])
        place = settings["package-dir"].get(package) or f"{names or 'engine'}/{package.rpartition('.')[2]}"
        assert any(path.rstrip("/").endswith(place.partition("/")[2] or place) for path in told), package


@every_page
def test_files_that_are_named_exist(page: str) -> None:
    made = {line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").split()}  # `out` of examples
    folders = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in made)
    for code in in_code(page):
        if re.fullmatch(rf"({re.escape('.ci')}|{folders})/[\w./-]*|[\w./-]+/\w+\.py|[A-Z]+\.md", code):
            pattern = code.replace("NAME", "*").rstrip("/")
            assert any(ROOT.glob(pattern)), f"{page} names {code}"


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", prose(page)):
        target, _, anchor = link.partition("#")
        if not target.startswith("https://"):
            path = (ROOT / page).parent / target if target else ROOT / page
            assert path.exists(), f"{page}: {link}"
            assert not anchor or anchor in anchors(path.read_text("utf-8")), f"{page}: {link}"


def test_every_page_is_linked_from_the_readme() -> None:
    assert all(page == "README.md" or f"]({page})" in PAGES["README.md"] for page in PAGES)


# form


@every_page
def test_lines_are_not_too_long(page: str) -> None:
    for number, line in enumerate(PAGES[page].splitlines(), 1):
        assert len(line) <= MAX_CHARS, f"{page}:{number} has {len(line)} characters"
    assert page != "README.md" or len(PAGES[page].splitlines()) <= README_LINES


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["project"]["version"] == alrakis.__version__
    heads = re.findall(r"^## (.*)$", PAGES["CHANGELOG.md"], re.MULTILINE)
    assert heads[0] == "Unreleased" or fnmatch.fnmatch(heads[0], f"{alrakis.__version__}*")
