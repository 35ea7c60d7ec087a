"""Subtitles in their three forms."""

import json
from pathlib import Path

import pytest

from alrakis.errors import InputError, OutputError
from alrakis.marks.subtitles import Cue, Word, check_subtitles, save_subtitles, subtitles

WORDS = tuple(Word(f"word{number}", number * 0.5, number * 0.5 + 0.4) for number in range(20))
CUES = [
    Cue("Hello <there> --> & you", 0.25, 1.5),
    Cue("It was long, " * 6, 3723.4567, 3730, "MAN"),
]


def test_srt() -> None:
    said = subtitles(CUES, ".srt").split("\n\n")
    assert said[0] == "1\n00:00:00,250 --> 00:00:01,500\nHello <there> -> & you"
    head, times, *lines = said[1].splitlines()
    assert (head, times) == ("2", "01:02:03,457 --> 01:02:10,000")
    assert lines[0].startswith("MAN: It was long,")
    assert all(len(line) <= 42 for line in lines)


def test_vtt() -> None:
    said = subtitles(CUES, ".vtt")
    assert said.startswith("WEBVTT\n\n00:00:00.250 --> 00:00:01.500\nHello &lt;there&gt; --&gt; &amp; you\n")
    assert "<v MAN>It was" in said


@pytest.mark.parametrize("form", [".srt", ".vtt"])
def test_a_label_that_is_in_the_text_is_not_there_twice(form: str) -> None:
    """Whoever is not in the cast keeps his label, and it is said."""
    assert subtitles([Cue("WOMAN: Hello.", 0, 1, "WOMAN")], form).count("WOMAN") == 1
    assert subtitles([Cue("Hello.", 0, 1, "WOMAN")], form).count("WOMAN") == 1


def test_words_make_short_cues() -> None:
    cue = Cue(" ".join(word.text for word in WORDS), 0, 10, None, WORDS)
    said = subtitles([cue], ".srt")
    assert said.count(" --> ") == 2
    assert all(word.text in said.split() for word in WORDS)
    assert "word0 <00:00:00.500>word1" in subtitles([cue], ".vtt")
    found = json.loads(subtitles([cue.later(1)], ".json"))["cues"]
    assert found[0]["words"][1] == {"word": "word1", "begin": 1.5, "end": 1.9}
    assert "words" not in json.loads(subtitles(CUES, ".json"))["cues"][0]


def test_files(tmp_path: Path) -> None:
    save_subtitles(tmp_path / "a.srt", CUES)
    assert (tmp_path / "a.srt").read_text().startswith("1\n")
    for path in (tmp_path / "a.txt", tmp_path / "a", tmp_path / "gone" / "a.srt"):
        with pytest.raises((InputError, OutputError)):
            check_subtitles(path)
