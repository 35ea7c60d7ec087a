"""A wrong argument is told before any work, and leaves everything as it was: folders, files, manifests."""

from pathlib import Path

import pytest

from tests.cli.programs import Run, refused
from tests.jobs.books import QUICK, READ

PAGE = "# One\n\nIt was cold.\n\n# Two\n\nIt was warm.\n"
PATTERN = "out/{chapter:02} {title}.flac"

# Of everything that is said.
SAYING = """\
--voice nowhere.npz
--voice demo/nobody
--cast DOG=demo/rms
--cast MAN
--lang xx
--seed -1
--text-temp -1
--max-duration 0
--takes 0
--until 0.1
--takes 2 --until -1
--listen nowhere/model
--lexicon nowhere.toml
--weights nowhere
--config nowhere
--set nothing=1
--set threads=x"""
READING = """\
--redo 5000
--redo 0
--redo 1 --redo 5000
--take 1=7
--take 5000=1
--take 1=1 --redo 5000
--take 1
--chapters 3-5
--chapters 0
--chapters x
--subtitles book.doc
--subtitles nowhere/book.srt
--words
--work nowhere/work"""
NOTHING = ["--list", "--list --work nowhere"]  # there is nothing to show


def found(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder: files with what they hold, and folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def page(book: Path) -> Path:
    (book / "page.md").write_text(PAGE)
    return book


@pytest.mark.parametrize("wrong", [*SAYING.splitlines(), *READING.splitlines(), *NOTHING])
def test_a_reading_that_cannot_begin_leaves_nothing(page: Path, run: Run, wrong: str) -> None:
    before = found(page)
    for command in (READ, ["read", "page.md", "-o", PATTERN]):
        refused(run(*command, *QUICK, *wrong.split()))
        assert found(page) == before


@pytest.mark.parametrize("wrong", [*SAYING.splitlines(), "--subtitles doc", "--subtitles a.srt", "--words"])
def test_a_batch_that_cannot_begin_leaves_nothing(texts: Path, run: Run, wrong: str) -> None:
    before = found(texts)
    refused(run("batch", "t.txt", "-o", "out", *QUICK, *wrong.split()))
    assert found(texts) == before


@pytest.mark.parametrize(
    "wrong", [*SAYING.splitlines(), "--subtitles a.doc", "--words", "--save-voice a.wav"]
)
def test_what_cannot_be_said_leaves_nothing(here: Path, run: Run, wrong: str) -> None:
    if wrong.startswith(("--cast", "--lang")):  # `say` has none
        return
    refused(run("say", "Hello.", "-q", "-o", "a.wav", *QUICK, *wrong.split()))
    assert found(here) == {}


def test_work_that_was_begun_stays_as_it_is(page: Path, run: Run) -> None:
    """Not even the text as it is now is written down, nor the part of the arguments that was right."""
    (page / "book.txt").write_text("Good morning.\n\nIt is late.")
    assert run(*READ, *QUICK).code == 0
    (page / "book.txt").write_text("Good morning.\n\nIt is later.")
    before = found(page)
    wrongs = [*SAYING.splitlines(), *READING.splitlines(), "--voice demo/rms", "--cast MAN=demo/rms"]
    for wrong in wrongs:
        if "--work" in wrong or "--weights" in wrong:
            continue
        refused(run(*READ, *QUICK, *wrong.split()))
        assert found(page) == before, wrong


def test_a_chunk_that_is_not_there_is_told_with_those_that_are(page: Path, run: Run) -> None:
    refused(run(*READ, *QUICK, "--redo", "5000"), "no chunk 5000", "chunks 1 to ")
    (page / "book.txt").write_text("Hello.")
    refused(run(*READ, *QUICK, "--redo", "5"), "no chunk 5", "the text is one chunk")
    refused(run(*READ, *QUICK, "--take", "1=2"), "no take 2 of chunk 1", "it has one take")
    assert found(page) == {"book.txt": b"Hello.", "page.md": PAGE.encode()}


def test_a_folder_that_was_there_stays(page: Path, run: Run) -> None:
    (page / "work").mkdir()
    (page / "out").mkdir()
    before = found(page)
    refused(run(*READ, *QUICK, "--work", "work", "--redo", "5000"))
    refused(run("read", "page.md", "-o", PATTERN, *QUICK, "--redo", "5000"))
    assert found(page) == before
