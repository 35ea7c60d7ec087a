"""`alrakis read`: stopped at any moment it goes on to the same file; mistakes are told before any work."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from alrakis.audio_tags import read_tags
from tests.cli.programs import Run, Terminal, alrakis_process, refused, stopped_when
from tests.jobs.books import QUICK, READ, TEXT, audio_of, heard, manifest, states

BATCHES = ["--set", "max_batch=3"]


# What it does.


def test_a_book_is_read_through_its_folder_of_work(book: Path, run: Run) -> None:
    ended = run(*READ, *QUICK)
    assert (ended.code, ended.out) == (0, "")
    assert "wrote book.flac: " in ended.err
    chunks = manifest(book)["chunks"]
    assert " ".join(chunk["text"] for chunk in chunks) == " ".join(TEXT.split())
    assert [take["seed"] for take in heard(book)] == list(range(7, 7 + len(chunks)))
    for number, take in enumerate(heard(book), 1):
        path = audio_of(book, number)
        assert take["state"] == "done"
        assert take["seconds"] == pytest.approx(soundfile.info(path).duration, abs=0.001)
        assert read_tags(path)["text"] == take["text"]
        assert path.with_suffix(".npz").is_file()
    assert read_tags(book / "book.flac")["seed"] == "7"

    listed = run(*READ, "--list")
    assert listed.code == 0
    assert f"{len(chunks)} of {len(chunks)} chunks" in listed.out
    assert all(chunk["text"] in listed.out for chunk in chunks)

    before = (book / "book.flac").read_bytes()
    again = run(*READ, *QUICK)
    assert "joined from chunks that were there" in again.err
    assert (book / "book.flac").read_bytes() == before


def test_progress_is_in_seconds_of_audio_with_the_time_left(book: Path) -> None:
    terminal = Terminal(*READ, *QUICK, folder=book)
    shown = terminal.read_to_end()
    assert terminal.process.returncode == 0
    assert "s of audio [" in shown
    assert "100%" in shown


SCENES = "Call me Ishmael.\n\n* * *\n\nIt was the best of times.\n\nЭто дом.\n\nAnd here it ends.\n"


def test_a_chunk_that_cannot_be_said_fails_alone_and_is_tried_again(book: Path, run: Run) -> None:
    (book / "book.txt").write_text(SCENES, "utf-8")
    for _ in range(2):
        ended = run(*READ, *QUICK)
        assert ended.code == 1
        assert "1 of 4 chunks could not be said" in ended.err
        assert "chunk 3: the demo voice can say nothing of 'Это дом.'" in ended.err
        assert "the same command tries them again" in ended.err
        assert states(book) == ["done", "done", "failed", "done"]
        assert "can say nothing of" in heard(book)[2]["error"]
        assert soundfile.info(book / "book.flac").duration > 1.5, "the others are there"
    assert "failed" in run(*READ, "--list").out


# Stopped and gone on with.


def undisturbed(folder: Path, *options: str) -> bytes:
    other = folder / "undisturbed"
    other.mkdir()
    (other / "book.txt").write_text(TEXT)
    assert alrakis_process(*READ, *options, folder=other).code == 0
    return (other / "book.flac").read_bytes()


@pytest.mark.parametrize("steady", ["voice", "chain"])
def test_killed_at_several_moments_it_becomes_the_same_file(book: Path, steady: str) -> None:
    options = [*QUICK, *BATCHES, "--steady", steady]
    whole = undisturbed(book, *options)
    work = book / "book.flac.work"
    moments: list[Callable[[], bool]] = [
        lambda: work.exists(),
        lambda: bool(states(book)),
        lambda: "spoken" in states(book),
        lambda: any(work.glob(".alrakis-*")),
        lambda: any(work.glob("*-*.flac")),
        lambda: states(book).count("done") >= 4,
        lambda: states(book).count("done") >= 5 and any(work.glob(".alrakis-*")),
        lambda: set(states(book)) == {"done"} and any(book.glob(".alrakis-*.part")),
    ]
    killed = [stopped_when(moment, *READ, *options, folder=book)[0] for moment in moments]
    assert killed == [-signal.SIGKILL] * len(moments)
    assert alrakis_process(*READ, *options, folder=book).code == 0
    assert (book / "book.flac").read_bytes() == whole
    assert [path.name for path in work.iterdir() if path.name.startswith(".alrakis")] == []
    assert sorted(path.name for path in book.iterdir()) == [
        "book.flac", "book.flac.work", "book.txt", "undisturbed",
    ]  # fmt: skip


def test_ctrl_c_says_how_to_go_on(book: Path) -> None:
    options = [*QUICK, *BATCHES]
    whole = undisturbed(book, *options)
    done = lambda: "done" in states(book)  # noqa: E731
    code, said = stopped_when(done, *READ, *options, folder=book, by=signal.SIGINT)
    assert code == 130
    assert "chunks are in book.flac.work; the same command goes on from there" in said
    assert said.endswith("alrakis: stopped\n")
    assert "Traceback" not in said
    assert not (book / "book.flac").exists()
    assert alrakis_process(*READ, *options, folder=book).code == 0
    assert (book / "book.flac").read_bytes() == whole


def test_a_disk_that_fills_up_is_told_and_gone_on_from(book: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    whole = undisturbed(book, *QUICK)
    options = [*READ, *QUICK]
    for _ in range(2):  # the chunks are small enough, the whole is not
        ended = alrakis_process(*options, folder=book, before=limit, PYTHONDONTWRITEBYTECODE="1")
        assert ended.code == 1, ended.err
        assert "alrakis: error: cannot write book.flac" in ended.err
        assert "Traceback" not in ended.err
    assert set(states(book)) == {"done"}
    assert sorted(path.name for path in book.glob("*.flac")) == []
    assert alrakis_process(*options, folder=book).code == 0
    assert (book / "book.flac").read_bytes() == whole


# What is refused.


def test_a_text_that_is_none(book: Path, run: Run) -> None:
    arguments = ["read", "x.txt", "-o", "x.wav", *QUICK]
    for data, told in (
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"caf\xe9 au lait", "not UTF-8 text (byte 3)"),
        (b"\x7fELF\x02\x01\x01\0\0", "byte 7 is zero"),
    ):
        (book / "x.txt").write_bytes(data)
        refused(run(*arguments), "x.txt", told)
    refused(run("read", "nowhere.txt", "-o", "x.wav"), "nowhere.txt", "No such file")
    assert sorted(path.name for path in book.iterdir()) == ["book.txt", "x.txt"]


@pytest.mark.parametrize("text", ["x" * 10_000, "[laughs] [sighs]", "?!... ...", "♪♪♪"])
def test_odd_texts_are_read(book: Path, run: Run, text: str) -> None:
    (book / "book.txt").write_text(text)
    tiny = ["--weights", "synthetic-tiny", "--config", "cpu-fp32", "--max-duration", "0.1"]
    ended = run(*READ, *tiny)
    assert ended.code == 0, ended.err
    said = "".join(chunk["text"] for chunk in manifest(book)["chunks"])
    assert said.replace(" ", "") == text.replace(" ", "")


def test_wrong_use(book: Path, run: Run) -> None:
    refused(run("read", "book.txt"), "give an output", "--stream")
    refused(run("read", "book.txt", "-o", "x.xyz"), "no format")
    refused(run("read", "book.txt", "-o", "nowhere/x.wav"), "no folder")
    refused(run("read", "book.txt", "-o", "x.wav", "--list"), "no manifest")
    refused(
        run("read", "book.txt", "-o", "x.wav", *QUICK, "--work", "book.txt"),
        "cannot make the folder book.txt",
    )
    refused(run("read", "book.txt", "-o", "x.wav", *QUICK, "--work", "no/where"), "no folder")
    refused(run("read", "book.txt", "-o", "x.wav", *QUICK, "--work", "."), "other files", "book.txt")
    refused(run("read", "book.txt", "-o", "x.wav", "--cast", "MAN"), "NAME=VOICE")
    refused(run("read", "book.txt", "-o", "x.wav", "--cast", "MAN=a", "--cast", "MAN=b"), "'MAN' twice")
    refused(run("read", "book.txt", "-o", "x.wav", "--cast", "MAN=v2/en_speaker_6"), "'MAN'", "never speaks")
    (book / "book.txt").write_text("WOMAN: Good day.\nMAN: Good bye.")
    refused(run("read", "book.txt", "-o", "x.wav", "--cast", "DOG=v2/en_speaker_6"), "WOMAN", "MAN")
    assert run("read", "book.txt", "-o", "x.wav", "--steady", "rock").code == 2
    assert not (book / "x.wav").exists()


def test_a_folder_that_may_not_be_written_is_told_before_any_work(book: Path, run: Run) -> None:
    locked = book / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write everywhere")
    refused(run("read", "book.txt", "-o", "locked/x.wav", *QUICK), "cannot write")
    refused(run("read", "book.txt", "-o", "x.wav", *QUICK, "--work", "locked/work"), "Permission denied")
