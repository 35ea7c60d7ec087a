"""`alrakis info`: what was found here, for people and for programs."""

import json
from pathlib import Path

import pytest

import alrakis
from alrakis.config import preset_names
from tests.cli.programs import Run


def test_info(run: Run, monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    checkpoint = here / "suno" / "bark_v0" / "text.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(bytes(3 * 2**20))
    monkeypatch.setenv("XDG_CACHE_HOME", str(here))
    info = json.loads(run("info", "--json").out)
    assert info["alrakis"] == alrakis.__version__
    assert info["backends"]["torch"]["version"].startswith("2.")
    assert "CPUExecutionProvider" in info["backends"]["onnxruntime"]["providers"]
    assert info["hardware"]["cpu"]["physical_cores"] >= 1
    assert [preset["name"] for preset in info["presets"]] == preset_names()
    assert all(preset["exact"] or preset["trades"] for preset in info["presets"])
    assert info["auto"]["reason"]
    sizes = {cache["path"]: cache["size_bytes"] for cache in info["caches"]}
    assert sizes[str(checkpoint.parent)] == 3 * 2**20
    where = {one["name"]: one["where"] for one in info["weights"]}
    assert str(checkpoint.parent) in where["bark-small"]
    assert "coarse.pt" in where["bark-small"]
    assert where["demo"] == "inside the package"
    text = run("info").out
    for part in (
        f"alrakis {alrakis.__version__}",
        "3.0 MiB",
        "torch-fp32 (exact)",
        "config that `auto` picks",
    ):
        assert part in text
    assert all(len(line) <= 110 for line in text.splitlines() if str(here) not in line)
