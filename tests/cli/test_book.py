"""`alrakis read` with books: chapters into files, and mistakes, which are told before any work."""

import json
from pathlib import Path

import av
import pytest
import soundfile

from alrakis.audio_tags import read_tags
from tests.books.epubs import HOSTILE, epub
from tests.cli.programs import Run, refused
from tests.jobs.books import QUICK

PAGE = """\
# One

It was cold.

# Two

It was warm. [laughs]

# Three

And then it rained.
"""
PATTERN = "book/{chapter:02} {title}.flac"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.md").write_text(PAGE)
    return tmp_path


def test_a_file_for_each_chapter_then_one_with_marks_and_subtitles(page: Path, run: Run) -> None:
    ended = run("read", "b.md", "-o", PATTERN, "--chapters", "2-3", *QUICK)
    assert ended.code == 0, ended.err
    assert sorted(path.name for path in Path("book").glob("*.flac")) == ["02 Two.flac", "03 Three.flac"]
    tags = read_tags("book/02 Two.flac")
    assert (tags["title"], tags["text"]) == ("Two", "Two.\n\nIt was warm. [laughs]")

    whole = ["read", "b.md", "-o", "b.mp3", "--work", "book/b.md.work", "--subtitles", "b.json"]
    assert run(*whole, *QUICK).code == 0
    with av.open("b.mp3") as file:
        marks = [
            (mark["metadata"]["title"], float(mark["start"] * mark["time_base"])) for mark in file.chapters()
        ]
    assert [title for title, _ in marks] == ["One", "Two", "Three"]
    cues = json.loads(Path("b.json").read_text())["cues"]
    for title, begin in marks[1:]:
        cue = next(cue for cue in cues if cue["text"] == f"{title}.")
        assert begin - 0.01 <= cue["begin"] <= begin + 0.2
    assert cues[-1]["end"] <= soundfile.info("b.mp3").duration + 0.05


def test_chapters_are_listed_before_anything_is_made(page: Path, run: Run) -> None:
    listed = run("read", "b.md", "--list").out.splitlines()
    assert [line.split()[-1] for line in listed] == ["One", "Two", "Three"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "b.mp3", "--chapters", "9"], "there is no chapter 9"),
        (["-o", "b.mp3", "--chapters", "x"], "--chapters takes"),
        (["-o", "book/{titel}.mp3"], "has the field {titel}"),
        (["-o", "book/{book}.mp3"], "the same name"),
        (["-o", "book/{title}/../../x.mp3"], "has a field in its folder"),
        (["-o", "gone/away/{title}.mp3"], "cannot make the folder"),
        (["-o", "b.xyz"], "names no format"),
        (["--stream", "--subtitles", "b.srt"], "--stream alone"),
        (["-o", "b.mp3", "--subtitles", "b.txt"], "must end in"),
        (["-o", PATTERN, "--subtitles", "b.srt"], "give both with the same fields"),
        (["-o", "b.mp3", "--words"], "--words needs a recogniser"),
        (["-o", "b.mp3", "--until", "0.1"], "--takes"),
        (["-o", "b.mp3", "--takes", "0"], "takes must be"),
        (["-o", "b.mp3", "--listen", "gone/model"], "is no folder of a recogniser"),
        (["-o", "b.mp3", "--lexicon", "gone.toml"], "gone.toml"),
        (["-o", "b.mp3", "--lexicon", "circle.toml"], "goes round in a circle"),
    ],
)
def test_mistakes(page: Path, run: Run, arguments: list[str], said: str) -> None:
    Path("circle.toml").write_text("[words]\nA = 'B'\nB = 'A'\n")
    refused(run("read", "b.md", *arguments, "--weights", "demo"), said)
    assert not list(page.glob("*.mp3"))


@pytest.mark.parametrize(
    "kind", ["no text", "broken page", "entities in a page", "leaves by a name", "no zip"]
)
def test_hostile_books(page: Path, run: Run, kind: str) -> None:
    data, message = HOSTILE[kind]
    (page / "b.epub").write_bytes(data)
    refused(run("read", "b.epub", "-o", "b.mp3", "--weights", "demo"), message)


def test_two_chapters_with_one_title(page: Path, run: Run) -> None:
    pages = {name: f"<html><body><h1>Same</h1><p>{name}</p></body></html>" for name in ("a.xhtml", "b.xhtml")}
    (page / "b.epub").write_bytes(epub(pages))
    refused(run("read", "b.epub", "-o", "{title}.mp3", "--weights", "demo"), "chapters 1 and 2 the same name")
