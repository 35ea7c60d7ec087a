"""Making, finding and removing a peer's environment. Each is a folder in alrakis' cache.

The alrakis in it is this one: its folders are linked, so that a peer measures with the code that asks it to.
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import alrakis
from alrakis import bench, configs, export
from alrakis.bench.peers.recipes import RECIPES, Recipe, environment_of, recipe_of
from alrakis.bench.targets.process import kill_all
from alrakis.errors import BackendError
from alrakis.files.parsing import read_json, reason
from alrakis.places.folders import own_cache

_DONE = "installed.json"  # written last: what is there without it is not whole
_LINK = "alrakis_of_the_bench"
# A finder of modules in the environment: packages of alrakis and the folders that hold them.
_FINDER = """\
import importlib.util
import sys

WHERE = {where}


class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in WHERE:
            return None
        file = WHERE[name] + "/__init__.py"
        return importlib.util.spec_from_file_location(name, file, submodule_search_locations=[WHERE[name]])


sys.meta_path.insert(0, Finder)
"""


@dataclass(frozen=True)
class Installed:
    """versions: of what was asked for by name."""

    name: str
    folder: Path
    versions: dict[str, str]


def folder_of(name: str) -> Path:
    return own_cache() / "peers" / name


def interpreter_of(peer: str) -> str:
    """The Python that a peer or a config runs in: its environment's, or this one where it has none."""
    name = environment_of(peer)
    if name is None or not (folder_of(name) / _DONE).exists():
        return sys.executable
    return str(_python(folder_of(name)))


def versions_of(peer: str) -> dict[str, dict[str, str]]:
    """What a peer's own environment holds, as `versions`; nothing where it runs in this one."""
    name = environment_of(peer)
    own = next((one.versions for one in installed() if one.name == name), None)
    return {} if own is None else {"versions": own}


def install(name: str) -> Installed:
    """Make a peer's environment anew. Raises InputError for an unknown name, BackendError if it fails.

    What is half made when it fails, or is stopped, is removed.
    """
    recipe, folder = recipe_of(name), folder_of(name)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return _made(name, recipe, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _made(name: str, recipe: Recipe, folder: Path) -> Installed:
    _run(name, [sys.executable, "-m", "venv", str(folder)])
    pip = [str(_python(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if recipe.alone:
        _run(name, [*pip, "--no-deps", *recipe.alone])
    _run(name, [*pip, *recipe.pins, *_own_needs(recipe.pins)])
    _link(folder)
    wanted = [re.split(r"[=<>\[]", pin)[0] for pin in (*recipe.alone, *recipe.pins)]
    program = (
        f"import json, importlib.metadata as m; print(json.dumps({{n: m.version(n) for n in {wanted!r}}}))"
    )
    versions = json.loads(_run(name, [str(_python(folder)), "-c", program]))
    (folder / _DONE).write_text(json.dumps(versions), "utf-8")
    return Installed(name, folder, versions)


def installed() -> Iterator[Installed]:
    """The environments that are there and whole."""
    for name in RECIPES:
        folder = folder_of(name)
        if (folder / _DONE).exists():
            yield Installed(name, folder, versions_in(folder / _DONE))


def versions_in(path: Path) -> dict[str, str]:
    """The versions that an environment's file tells. Raises BackendError for a damaged file."""
    try:
        found = read_json(path)
    except (OSError, ValueError) as error:
        raise BackendError(f"{path} is damaged: {reason(error)}; install the peer again") from None
    if not isinstance(found, dict) or not all(isinstance(version, str) for version in found.values()):
        raise BackendError(f"{path} is damaged: it tells no versions; install the peer again")
    return found


def remove(name: str) -> bool:
    """Remove a peer's environment; False if there was none. Raises InputError for an unknown name."""
    recipe_of(name)
    there = folder_of(name).exists()
    shutil.rmtree(folder_of(name), ignore_errors=True)
    return there


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _own_needs(pins: tuple[str, ...]) -> list[str]:
    """What alrakis itself needs, but for what a recipe pins."""
    pinned = {re.split(r"[=<>\[]", pin)[0] for pin in pins}
    needs = importlib.metadata.requires("alrakis") or []
    return [need for need in needs if "extra ==" not in need and re.split(r"[=<>; ]", need)[0] not in pinned]


def _link(folder: Path) -> None:
    """Have the environment find this alrakis."""
    packages = {
        "alrakis": alrakis,
        "alrakis.bench": bench,
        "alrakis.configs": configs,
        "alrakis.export": export,
    }
    where = {name: str(Path(str(package.__file__)).parent) for name, package in packages.items()}
    program = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = Path(_run("alrakis", [str(_python(folder)), "-c", program]).strip())
    (site / f"{_LINK}.py").write_text(_FINDER.format(where=repr(where)), "utf-8")
    (site / f"{_LINK}.pth").write_text(f"import {_LINK}\n", "utf-8")


def _run(name: str, command: list[str]) -> str:
    """The output of a command. Raises BackendError with the last lines of what it said.

    When it is stopped, so is all that the command has started (pip would go on compiling), and its temporary
    files are removed.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with (
        tempfile.TemporaryDirectory(prefix="alrakis-bench-") as temporary,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**environment, "TMPDIR": temporary},
            start_new_session=True,  # so that Ctrl-C reaches this process only
        ) as process,
    ):
        try:
            out, told = process.communicate()
        except BaseException:
            kill_all(process)
            raise
    if process.returncode:
        _fail(name, told or out)
    return out


def _fail(name: str, said: str) -> NoReturn:
    last = "\n".join(said.strip().splitlines()[-5:])
    raise BackendError(f"{name} could not be installed:\n{last}")
