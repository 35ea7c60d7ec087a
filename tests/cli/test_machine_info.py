"""What is found on a machine: the plain values, and where a person's own files lie."""

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alrakis.cli import machine_info as found
from alrakis.cli.machine_info import auto_choice, machine_info, size_bytes
from alrakis.config import load_config, preset_names
from alrakis.errors import BackendError


def test_it_is_plain_values_only() -> None:
    def leaves(value: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            assert all(type(key) is str for key in value)
            value = tuple(value.values())
        if isinstance(value, (list, tuple)):
            for part in value:
                yield from leaves(part)
        else:
            yield value

    assert {type(leaf) for leaf in leaves(machine_info())} <= {str, int, float, bool, type(None)}
    assert json.loads(json.dumps(machine_info()))


def test_versions_are_those_that_are_installed() -> None:
    backends = machine_info()["backends"]
    assert backends["torch"]["version"] == importlib.metadata.version("torch")
    assert backends["onnxruntime"]["packages"]["onnxruntime"] == importlib.metadata.version("onnxruntime")
    assert backends["onnxruntime"]["problem"] is None


def test_presets_are_what_their_files_say() -> None:
    for preset in machine_info()["presets"]:
        config = load_config(preset["name"])
        assert preset == {key: getattr(config, key) for key in preset}
    assert [preset["name"] for preset in machine_info()["presets"]] == preset_names()


def test_variables_are_told_where_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "SUNO_OFFLOAD_CPU"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SUNO_OFFLOAD_CPU", "yes")
    monkeypatch.setenv("SECRET_TOKEN", "nobody should see it")
    environment = machine_info()["environment"]
    assert environment["SUNO_OFFLOAD_CPU"] == "yes"
    assert "HF_HUB_OFFLINE" not in environment
    assert "SECRET_TOKEN" not in environment


@pytest.mark.parametrize("missing", ["torch", "onnxruntime"])
def test_what_is_not_installed_is_none(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    version = importlib.metadata.version

    def without(package: str) -> str:
        if package.startswith(missing):
            raise importlib.metadata.PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(importlib.metadata, "version", without)
    backends = machine_info()["backends"]
    assert backends.pop(missing) is None
    assert all(backends.values())


def test_an_onnxruntime_that_does_not_import_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    onnxruntime = machine_info()["backends"]["onnxruntime"]
    assert onnxruntime["providers"] == []
    assert "cannot be imported" in onnxruntime["problem"]


def test_no_choice_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> tuple[str, str]:
        raise BackendError("neither is installed")

    assert auto_choice()["name"] in preset_names()
    monkeypatch.setattr(found, "choose_config", fail)
    assert auto_choice() == {"name": None, "reason": "neither is installed"}


def test_sizes_count_files_once_and_follow_no_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "one").write_bytes(bytes(100))
    (tmp_path / "a" / "b" / "two").write_bytes(bytes(20))
    assert size_bytes(tmp_path) == 120
    (tmp_path / "link").symlink_to(tmp_path / "one")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert size_bytes(tmp_path) == 120 + (tmp_path / "link").lstat().st_size
    assert size_bytes(tmp_path / "nowhere") == 0
