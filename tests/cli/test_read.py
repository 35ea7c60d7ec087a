"""`alrakis read`: stopped at any moment it goes on to the same file; mistakes are told before any work."""

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest
import soundfile

from alrakis.audio_tags import read_tags
from tests.cli.programs import Run, Terminal, alrakis_process, command, environment, refused

TEXT = """\
Good morning. This is a small book. It has some chapters, and each of them is short.

The first day was cold. We walked to the river and back. Nobody said a word. The old man sat by the fire.

The second day was warm. We ate bread and cheese. A dog came to the door. It went away again. Then it rained.
"""
DEMO = ["--weights", "demo", "--seed", "7", "--set", "pack_s=3", "--set", "threads=1"]
QUICK = [*DEMO, "--max-duration", "0.5"]
BATCHES = ["--set", "max_batch=3"]


@pytest.fixture
def book(here: Path) -> Path:
    (here / "book.txt").write_text(TEXT)
    return here


def manifest(folder: Path) -> Any:
    return json.loads((folder / "book.flac.work" / "manifest.json").read_text())


def edit(folder: Path, change: Callable[[Any], None]) -> None:
    values = manifest(folder)
    change(values)
    (folder / "book.flac.work" / "manifest.json").write_text(json.dumps(values))


def states(folder: Path) -> list[str]:
    try:
        return [row["state"] for row in manifest(folder)["chunks"]]
    except FileNotFoundError:
        return []


# What it does.


def test_a_book_is_read_through_its_folder_of_work(book: Path, run: Run) -> None:
    ended = run("read", "book.txt", "-o", "book.flac", *QUICK)
    assert (ended.code, ended.out) == (0, "")
    assert "wrote book.flac: " in ended.err
    rows = manifest(book)["chunks"]
    assert " ".join(row["text"] for row in rows) == " ".join(TEXT.split())
    assert [row["seed"] for row in rows] == list(range(7, 7 + len(rows)))
    work = book / "book.flac.work"
    for row in rows:
        path = work / f"{row['chunk']:04}.flac"
        assert row["state"] == "done"
        assert row["seconds"] == pytest.approx(soundfile.info(path).duration, abs=0.001)
        assert read_tags(path)["text"] == row["text"]
        assert (work / f"{row['chunk']:04}.npz").is_file()
    assert read_tags(book / "book.flac")["seed"] == "7"

    listed = run("read", "book.txt", "-o", "book.flac", "--list")
    assert listed.code == 0
    assert f"{len(rows)} of {len(rows)} chunks" in listed.out
    assert all(row["text"] in listed.out for row in rows)

    before = (book / "book.flac").read_bytes()
    again = run("read", "book.txt", "-o", "book.flac", *QUICK)
    assert "joined from chunks that were there" in again.err
    assert (book / "book.flac").read_bytes() == before


def test_pauses_may_be_changed_later(book: Path, run: Run) -> None:
    run("read", "book.txt", "-o", "book.flac", *QUICK)
    before = soundfile.info(book / "book.flac").duration
    pauses = sum(row["pause"] == "sentence" for row in manifest(book)["chunks"])
    again = run("read", "book.txt", "-o", "book.flac", *QUICK, "--set", "pause_sentence_s=1.3")
    assert "joined from chunks that were there" in again.err
    assert soundfile.info(book / "book.flac").duration == pytest.approx(before + pauses, abs=0.01)


def test_a_chunk_is_made_anew_with_another_seed(book: Path, run: Run) -> None:
    run("read", "book.txt", "-o", "book.flac", *QUICK)
    old, audio = manifest(book)["chunks"], (book / "book.flac.work" / "0003.flac").read_bytes()
    ended = run("read", "book.txt", "-o", "book.flac", *QUICK, "--redo", "3")
    assert ended.code == 0
    new = manifest(book)["chunks"]
    assert [a == b for a, b in zip(old, new, strict=True)] == [row["chunk"] != 3 for row in old]
    assert new[2]["seed"] != old[2]["seed"]
    assert (book / "book.flac.work" / "0003.flac").read_bytes() != audio
    refused(
        run("read", "book.txt", "-o", "book.flac", *QUICK, "--redo", "99"), "no chunk 99", f"1 to {len(old)}"
    )


def test_a_first_chunk_made_anew_stays_in_the_voice_of_the_others(book: Path, run: Run) -> None:
    (book / "book.txt").write_text(TEXT.split("\n\n")[0])
    tiny = ["--weights", "synthetic-tiny", "--config", "cpu-fp32", "--seed", "7", "--max-duration", "0.5"]
    tiny += ["--min-eos-p", "1", "--set", "opening_s=2", "--set", "pack_s=3"]
    run("read", "book.txt", "-o", "book.flac", *tiny)
    assert [row["voice"] for row in manifest(book)["chunks"]][:2] == [None, "chunk 1"]
    first = (book / "book.flac.work" / "0001.npz").read_bytes()
    assert run("read", "book.txt", "-o", "book.flac", *tiny, "--redo", "1").code == 0
    assert manifest(book)["chunks"][0]["voice"] == "chunk 1"
    assert (book / "book.flac.work" / "voice-1.npz").read_bytes() == first
    assert (book / "book.flac.work" / "0001.npz").read_bytes() != first


@pytest.mark.parametrize("form", ["wav", "pcm"])
def test_a_stream_on_standard_output_is_the_file(book: Path, form: str) -> None:
    streamed = subprocess.run(
        command("read", "book.txt", "--stream", form, "-o", "book.wav", *QUICK),
        cwd=book,
        capture_output=True,
        env=environment(),
    )
    assert streamed.returncode == 0, streamed.stderr
    heard = streamed.stdout[44:] if form == "wav" else streamed.stdout
    samples, rate = soundfile.read(book / "book.wav", dtype="int16")
    assert np.array_equal(np.frombuffer(heard, "<i2"), samples)
    if form == "wav":
        (book / "heard.wav").write_bytes(streamed.stdout)
        assert np.array_equal(soundfile.read(book / "heard.wav", dtype="int16")[0], samples)
        assert soundfile.info(book / "heard.wav").samplerate == rate


def test_a_listener_who_leaves_ends_it(book: Path) -> None:
    process = subprocess.Popen(
        command("read", "book.txt", "--stream", "-o", "book.flac", *DEMO, *BATCHES),
        cwd=book,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.read(44)[:4] == b"RIFF"
    process.stdout.close()
    assert process.wait() == 141
    assert b"goes on from there" in process.stderr.read()  # type: ignore[union-attr]
    assert not (book / "book.flac").exists()


def test_progress_is_in_seconds_of_audio_with_the_time_left(book: Path) -> None:
    terminal = Terminal("read", "book.txt", "-o", "book.flac", *QUICK, folder=book)
    shown = terminal.read_to_end()
    assert terminal.process.returncode == 0
    assert "s of audio [" in shown
    assert "100%" in shown


# Stopped and gone on with.


def undisturbed(folder: Path, *options: str) -> bytes:
    other = folder / "undisturbed"
    other.mkdir()
    (other / "book.txt").write_text(TEXT)
    assert alrakis_process("read", "book.txt", "-o", "book.flac", *options, folder=other).code == 0
    return (other / "book.flac").read_bytes()


def stop_when(
    moment: Callable[[], bool], folder: Path, *options: str, by: signal.Signals = signal.SIGKILL
) -> tuple[int, str]:
    """Run it, and send a signal as soon as the moment has come; gives the exit code and what it said."""
    process = subprocess.Popen(
        command("read", "book.txt", "-o", "book.flac", *options),
        cwd=folder,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    while process.poll() is None and not moment():
        time.sleep(0.001)
    process.send_signal(by)
    _, said = process.communicate()
    return process.returncode, said


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
        lambda: any(work.glob("*.flac")),
        lambda: states(book).count("done") >= 4,
        lambda: states(book).count("done") >= 5 and any(work.glob(".alrakis-*")),
        lambda: any(book.glob(".alrakis-*.part")),
    ]
    killed = [stop_when(moment, book, *options)[0] == -signal.SIGKILL for moment in moments]
    assert killed.count(True) >= 6
    assert alrakis_process("read", "book.txt", "-o", "book.flac", *options, folder=book).code == 0
    assert (book / "book.flac").read_bytes() == whole
    assert [path.name for path in work.iterdir() if path.name.startswith(".alrakis")] == []
    assert sorted(path.name for path in book.iterdir()) == [
        "book.flac", "book.flac.work", "book.txt", "undisturbed",
    ]  # fmt: skip


def test_ctrl_c_says_how_to_go_on(book: Path) -> None:
    options = [*QUICK, *BATCHES]
    whole = undisturbed(book, *options)
    code, said = stop_when(lambda: "done" in states(book), book, *options, by=signal.SIGINT)
    assert code == 130
    assert "chunks are in book.flac.work; the same command goes on from there" in said
    assert said.endswith("alrakis: stopped\n")
    assert "Traceback" not in said
    assert not (book / "book.flac").exists()
    assert alrakis_process("read", "book.txt", "-o", "book.flac", *options, folder=book).code == 0
    assert (book / "book.flac").read_bytes() == whole


def test_a_disk_that_fills_up_is_told_and_gone_on_from(book: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    whole = undisturbed(book, *QUICK)
    options = ["read", "book.txt", "-o", "book.flac", *QUICK]
    for _ in range(2):  # the chunks are small enough, the whole is not
        ended = alrakis_process(*options, folder=book, before=limit, PYTHONDONTWRITEBYTECODE="1")
        assert ended.code == 1, ended.err
        assert "alrakis: error: cannot write book.flac" in ended.err
        assert "Traceback" not in ended.err
    assert set(states(book)) == {"done"}
    assert sorted(path.name for path in book.glob("*.flac")) == []
    assert alrakis_process(*options, folder=book).code == 0
    assert (book / "book.flac").read_bytes() == whole


def test_chunks_that_found_no_room_are_not_counted(book: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))  # room for tokens, not for audio

    options = ["read", "book.txt", "-o", "book.flac", *QUICK]
    ended = alrakis_process(*options, folder=book, before=limit, PYTHONDONTWRITEBYTECODE="1")
    assert ended.code == 1, ended.err
    assert "0001.flac" in ended.err
    assert f"0 of {len(states(book))} chunks are in" in ended.err
    assert "done" not in states(book)


def test_chunks_whose_files_are_gone_are_made_again(book: Path, run: Run) -> None:
    run("read", "book.txt", "-o", "book.flac", *QUICK)
    (book / "book.flac.work" / "0002.flac").unlink()
    assert run("read", "book.txt", "-o", "book.flac", *QUICK).code == 0
    assert (book / "book.flac.work" / "0002.flac").exists()


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
    ended = run("read", "book.txt", "-o", "book.flac", *tiny)
    assert ended.code == 0, ended.err
    assert "".join(row["text"] for row in manifest(book)["chunks"]).replace(" ", "") == text.replace(" ", "")


def test_wrong_use(book: Path, run: Run) -> None:
    refused(run("read", "book.txt"), "give an output", "--stream")
    refused(run("read", "book.txt", "-o", "x.xyz"), "no format")
    refused(run("read", "book.txt", "-o", "nowhere/x.wav"), "no folder")
    refused(run("read", "book.txt", "-o", "x.wav", "--list"), "no manifest")
    refused(
        run("read", "book.txt", "-o", "x.wav", *QUICK, "--work", "book.txt"), "book.txt", "folder of work"
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


def test_audio_is_not_written_to_a_terminal(book: Path) -> None:
    terminal = Terminal("read", "book.txt", "--stream", *QUICK, folder=book)
    assert "pipe it into a player" in terminal.read_to_end()
    assert terminal.process.returncode == 2


def test_another_task_in_the_same_folder_is_told_what_differs(book: Path, run: Run) -> None:
    arguments = ["read", "book.txt", "-o", "book.flac"]
    run(*arguments, *QUICK)
    before = (book / "book.flac").read_bytes()
    refused(run(*arguments, *QUICK, "--seed", "8"), "seed was 7, now 8")
    refused(run(*arguments, *QUICK, "--text-temp", "0.5"), "text_temp was 0.7, now 0.5")
    refused(run(*arguments, *QUICK, "--steady", "chain"), "steady was 'voice', now 'chain'")
    refused(run(*arguments, *QUICK, "--config", "cpu-fp32"), "precision was 'int8', now 'fp32'")
    (book / "book.txt").write_text(TEXT.replace("river", "lake"))
    refused(run(*arguments, *QUICK), "river", "lake", "another --work")
    (book / "book.txt").write_text(TEXT + "The end.")
    refused(run(*arguments, *QUICK), "book.flac.work belongs to something else")
    assert (book / "book.flac").read_bytes() == before


def _first(key: str, value: Any) -> Callable[[Any], None]:
    return lambda values: values["chunks"][0].update({key: value})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_first("seed", 8), "chunk 1's seed is 8, but should be 7"),
        (_first("text", "Good evening."), "chunk 1 was 'Good evening.'"),
        (_first("seconds", 9.5), "chunk 1: the manifest says 9.5 s, 0001.flac has"),
        (_first("voice", "mine"), "chunk 1: the manifest says voice 'mine', 0001.flac ''"),
        (_first("state", "finished"), "chunks.1.state"),
        (_first("chunk", 2), "chunk 2 stands where chunk 1 should"),
        (_first("mood", "sad"), "chunks.1.mood"),
        (lambda values: values["chunks"].pop(), "there were"),
        (lambda values: values["settings"].pop("weights"), "weights was None"),
        (lambda values: values.update(version=2), "version 2; this alrakis reads 1"),
    ],
)
def test_an_edited_manifest_is_told_what_differs(
    book: Path, run: Run, change: Callable[[Any], None], told: str
) -> None:
    (book / "book.txt").write_text("Good morning. " * 8)
    arguments = ["read", "book.txt", "-o", "book.flac", *QUICK]
    run(*arguments)
    edit(book, change)
    refused(run(*arguments), told)


def test_a_damaged_manifest_is_told_where(book: Path, run: Run) -> None:
    run("read", "book.txt", "-o", "book.flac", *QUICK)
    path = book / "book.flac.work" / "manifest.json"
    path.write_text(path.read_text().replace('"seed": 7,', '"seed": ,', 1))
    refused(run("read", "book.txt", "-o", "book.flac", *QUICK), "manifest.json", "line ")


def test_two_processes_do_not_share_a_folder(book: Path, run: Run) -> None:
    (book / "book.flac.work").mkdir()
    with filelock.FileLock(book / "book.flac.work" / ".lock"):
        ended = alrakis_process("read", "book.txt", "-o", "book.flac", *QUICK, folder=book)
    refused(ended, "another process is at work in book.flac.work")


def test_a_folder_that_may_not_be_written_is_told_before_any_work(book: Path, run: Run) -> None:
    locked = book / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write everywhere")
    refused(run("read", "book.txt", "-o", "locked/x.wav", *QUICK), "cannot write")
    refused(run("read", "book.txt", "-o", "x.wav", *QUICK, "--work", "locked/work"), "Permission denied")
