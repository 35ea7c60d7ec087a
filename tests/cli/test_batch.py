"""`alrakis batch`: an audio file a text, whatever happens to other texts or to the process."""

import json
import os
import resource
import shutil
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
from alrakis.jobs.batch_texts import BatchItem
from alrakis.jobs.batching import PlannedItem, grouped
from alrakis.voices import Voice
from tests.cli.programs import Run, alrakis_process, command, environment, refused

DEMO = ["--weights", "demo", "--config", "cpu-fp32", "--set", "threads=1"]
QUICK = [*DEMO, "--seed", "7", "--max-duration", "0.4"]
TEXTS = [f"This is text number {word}." for word in ("one", "two", "three", "four", "five", "six")]


@pytest.fixture
def texts(here: Path) -> Path:
    (here / "t.txt").write_text("\n".join(TEXTS))
    return here


def manifest(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / "out" / "manifest.jsonl").read_text().splitlines()]


def states(folder: Path) -> dict[str, str]:
    return {row["id"]: row["state"] for row in manifest(folder)[1:]}


def samples(path: Path) -> Any:
    return soundfile.read(path, dtype="int16")[0]


def write_rows(folder: Path, *rows: dict[str, Any]) -> None:
    (folder / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


# What it does.


def test_every_text_becomes_the_file_that_say_makes_of_it(texts: Path, run: Run) -> None:
    ended = run("batch", "t.txt", "-o", "out", "--format", "flac", *QUICK)
    assert (ended.code, ended.out) == (0, "")
    assert "made 6 files in out" in ended.err
    assert manifest(texts)[0]["settings"]["seed"] == 7
    rows = {row["id"]: row for row in manifest(texts)[1:]}
    assert sorted(rows) == [f"{n:04}" for n in range(1, 7)]
    for number, text in enumerate(TEXTS):
        row = rows[f"{number + 1:04}"]
        path = texts / "out" / row["file"]
        assert (row["state"], row["text"], row["seed"]) == ("done", text, 7 + number)
        assert row["seconds"] == pytest.approx(soundfile.info(path).duration, abs=0.001)
        assert read_tags(path)["text"] == text
    run("say", TEXTS[2], "-o", "say.flac", *QUICK, "--seed", "9")
    assert np.array_equal(samples(texts / "say.flac"), samples(texts / "out" / "0003.flac"))


def test_rows_say_things_of_their_own(here: Path, run: Run) -> None:
    long = "This is a sentence of a long text, and it goes on for a while. " * 5
    write_rows(here, {"text": "Hello.", "id": "a", "seed": 3}, {"text": long, "file": "long.ogg"})
    assert run("batch", "t.jsonl", "-o", "out", *QUICK).code == 0
    assert read_tags(here / "out" / "a.wav")["seed"] == "3"
    assert soundfile.info(here / "out" / "long.ogg").duration > 0.8  # of chunks of 0.4 s


def test_a_cast_speaks_and_its_labels_are_not_said(here: Path, run: Run) -> None:
    tiny = [
        "--weights",
        "synthetic-tiny",
        "--config",
        "cpu-fp32",
        "--max-duration",
        "0.2",
        "--min-eos-p",
        "1",
    ]
    assert run("say", "It is me.", "-o", "me.wav", "--save-voice", "me.npz", *tiny).code == 0
    (here / "t.txt").write_text("MAN: Good day.")
    assert run("batch", "t.txt", "-o", "out", "--cast", "MAN=me.npz", *tiny).code == 0
    tags = read_tags(here / "out" / "0001.wav")
    assert (tags["text"], Path(tags["voice"]).name) == ("Good day.", "me.npz")
    refused(run("batch", "t.txt", "-o", "out", "--cast", "DOG=me.npz", *tiny), "'DOG'", "speakers are MAN")


def test_a_row_that_fails_is_written_down_and_passed_over(here: Path, run: Run) -> None:
    (here / "broken.npz").write_bytes(b"no voice")
    write_rows(
        here,
        {"text": " ", "id": "empty"},
        {"text": "Hello.", "id": "voiceless", "voice": "v2/en_speaker_99"},
        {"text": "Hello.", "id": "broken", "voice": "broken.npz"},
        {"text": "Hello.", "id": "foreign", "lang": "xx"},
        {"text": "Hello.", "id": "fine"},
    )
    for _ in range(2):  # the second time, only what failed is tried
        ended = run("batch", "t.jsonl", "-o", "out", *QUICK)
        assert ended.code == 1
        assert "Traceback" not in ended.err
        assert "4 of 5 rows failed; out/manifest.jsonl says why" in ended.err
        assert states(here) == {
            "empty": "failed", "voiceless": "failed", "broken": "failed", "foreign": "failed", "fine": "done",
        }  # fmt: skip
    reasons = {row["id"]: row["error"] for row in manifest(here)[1:]}
    assert "empty" in reasons["empty"]
    assert "v2/en_speaker_99" in reasons["voiceless"]
    assert reasons["fine"] is None
    assert "0 files in out; 1 were there" in ended.err


def test_a_row_that_says_nothing_fails_alone(here: Path, run: Run) -> None:
    write_rows(here, {"text": "Hello."}, {"text": "Good day."})
    ended = run("batch", "t.jsonl", "-o", "out", *DEMO, "--max-duration", "0", "--min-eos-p", "0")
    assert ended.code == 1
    assert set(states(here).values()) == {"failed"}
    assert "no speech was made" in manifest(here)[1]["error"]


def test_rows_added_later_are_made_and_the_others_left(texts: Path, run: Run) -> None:
    run("batch", "t.txt", "-o", "out", *QUICK)
    before = (texts / "out" / "0001.wav").stat().st_mtime_ns
    (texts / "t.txt").write_text("\n".join([*TEXTS, "One more."]))
    (texts / "out" / "0002.wav").unlink()
    ended = run("batch", "t.txt", "-o", "out", *QUICK)
    assert "made 2 files in out" in ended.err
    assert len(states(texts)) == 7
    assert (texts / "out" / "0001.wav").stat().st_mtime_ns == before


def test_without_a_seed_it_goes_on_with_the_one_that_it_drew(texts: Path, run: Run) -> None:
    arguments = ["batch", "t.txt", "-o", "out", *DEMO, "--max-duration", "0.2"]
    run(*arguments)
    audio = samples(texts / "out" / "0004.wav")
    (texts / "out" / "0004.wav").unlink()
    assert run(*arguments).code == 0
    assert np.array_equal(samples(texts / "out" / "0004.wav"), audio)


def test_groups_have_one_voice_and_like_lengths() -> None:
    one, two = (Voice(*[np.zeros(1, np.int64)] * 3, name=name) for name in "ab")
    planned = [
        PlannedItem(BatchItem(line=i, id=str(i), file="f", text="t"), "t", i == 5, 0, voice, seconds)
        for i, (voice, seconds) in enumerate(
            [(one, 3.0), (two, 1.0), (one, 1.0), (None, 2.0), (one, 2.0), (one, 40.0), (two, 0.5)]
        )
    ]
    groups = [[plan.item.line for plan in group] for group in grouped(planned, 2)]
    assert sorted(groups) == [[0], [2, 4], [3], [5], [6, 1]]


# Stopped.


def undisturbed(folder: Path, *options: str) -> dict[str, bytes]:
    whole = folder / "whole"
    assert alrakis_process("batch", "t.txt", "-o", "whole", *options, folder=folder).code == 0
    files = {path.name: path.read_bytes() for path in whole.glob("*.wav")}
    shutil.rmtree(whole)
    return files


def stop_when(moment: Callable[[], bool], folder: Path, *options: str, by: signal.Signals) -> tuple[int, str]:
    process = subprocess.Popen(
        command("batch", "t.txt", "-o", "out", *options),
        cwd=folder, stderr=subprocess.PIPE, env=environment(), text=True,
    )  # fmt: skip
    while process.poll() is None and not moment():
        time.sleep(0.001)
    process.send_signal(by)
    _, said = process.communicate()
    return process.returncode, said


def test_killed_at_several_moments_it_makes_the_same_files(texts: Path) -> None:
    options = [*QUICK, "--set", "max_batch=2"]
    whole = undisturbed(texts, *options)
    out = texts / "out"
    moments: list[Callable[[], bool]] = [
        out.exists,
        (out / "manifest.jsonl").exists,
        lambda: any(out.glob("*.wav")),
        lambda: "done" in states(texts).values(),
        lambda: len(list(out.glob("*.wav"))) >= 5,
    ]
    killed = [stop_when(moment, texts, *options, by=signal.SIGKILL)[0] for moment in moments]
    assert killed.count(-signal.SIGKILL) >= 4
    with open(out / "manifest.jsonl", "ab") as file:
        file.write(b'{"id": "0006", "fi')  # a line that a killed process did not finish
    assert alrakis_process("batch", "t.txt", "-o", "out", *options, folder=texts).code == 0
    assert {path.name: path.read_bytes() for path in out.glob("*.wav")} == whole
    assert set(states(texts).values()) == {"done"}
    assert sorted(path.name for path in out.iterdir() if path.suffix != ".wav") == [".lock", "manifest.jsonl"]


def test_ctrl_c_says_how_to_go_on(texts: Path) -> None:
    options = [*QUICK, "--set", "max_batch=1"]
    (texts / "out").mkdir()
    (texts / "out" / "manifest.jsonl").touch()
    code, said = stop_when(lambda: any((texts / "out").glob("*.wav")), texts, *options, by=signal.SIGINT)
    assert code == 130
    assert "of 6 rows are in out; the same command goes on from there" in said
    assert said.endswith("alrakis: stopped\n")
    assert alrakis_process("batch", "t.txt", "-o", "out", *options, folder=texts).code == 0
    assert set(states(texts).values()) == {"done"}


def test_a_disk_that_fills_up_is_told_and_gone_on_from(texts: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))

    ended = alrakis_process(
        "batch", "t.txt", "-o", "out", *QUICK, folder=texts, before=limit, PYTHONDONTWRITEBYTECODE="1"
    )
    assert ended.code == 1, ended.err
    assert "alrakis: error: cannot write " in ended.err
    assert "Traceback" not in ended.err
    assert list((texts / "out").glob("*.wav")) == []
    assert alrakis_process("batch", "t.txt", "-o", "out", *QUICK, folder=texts).code == 0


# What is refused.


def test_a_file_that_is_no_text(here: Path, run: Run) -> None:
    for data, told in (
        (b"", "t.txt is empty"),
        (b"caf\xe9", "not UTF-8 text (byte 3)"),
        (b"\x7fELF\x02\0", "byte 5 is zero"),
    ):
        (here / "t.txt").write_bytes(data)
        refused(run("batch", "t.txt", "-o", "out", *QUICK), told)
    refused(run("batch", "nowhere.txt", "-o", "out", *QUICK), "nowhere.txt", "No such file")
    assert not (here / "out").exists()


def test_wrong_use(texts: Path, run: Run) -> None:
    refused(run("batch", "t.txt", "-o", "no/where", *QUICK), "there is no folder", "make it first")
    refused(run("batch", "t.txt", "-o", "t.txt", *QUICK), "t.txt")
    refused(run("batch", "t.txt", "-o", "out", *QUICK, "--lang", "xx"), "'xx'", "de, en")
    refused(run("batch", "t.txt", "-o", "out", *QUICK, "--voice", "nobody"), "nobody")
    refused(run("batch", "t.txt", "-o", "out", *QUICK, "--seed", "-1"), "-1")
    write_rows(texts, {"text": "a", "file": "a.exe"})
    refused(run("batch", "t.jsonl", "-o", "out", *QUICK), ".exe", "no format")
    assert run("batch", "t.txt").code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(texts: Path, run: Run) -> None:
    (texts / "out").mkdir(mode=0o555)
    refused(run("batch", "t.txt", "-o", "out", *QUICK), "cannot write", "Permission denied")


def test_a_manifest_of_something_else_is_told_what_differs(texts: Path, run: Run) -> None:
    arguments = ["batch", "t.txt", "-o", "out", *QUICK]
    run(*arguments)
    path = texts / "out" / "manifest.jsonl"
    before = path.read_bytes()
    refused(run(*arguments, "--seed", "8"), "seed was 7, now 8")
    refused(run(*arguments, "--text-temp", "0.5"), "text_temp was 0.7, now 0.5")
    (texts / "t.txt").write_text("\n".join([*TEXTS[:2], "Another text.", *TEXTS[3:5]]))
    refused(run(*arguments), "row '0003'", TEXTS[2], "Another text.", "row '0006'", "another output folder")
    assert path.read_bytes() == before
    (texts / "t.txt").write_text("\n".join(TEXTS))
    path.write_bytes(before.replace(b'"done"', b'"fine"', 1))
    refused(run(*arguments), "line 2 is not as alrakis wrote it")
    path.write_bytes(b"{}\n")
    refused(run(*arguments), "line 1 is not as alrakis wrote it")


def test_two_processes_do_not_work_in_one_folder(texts: Path, run: Run) -> None:
    (texts / "out").mkdir()
    with filelock.FileLock(texts / "out" / ".lock"):
        refused(run("batch", "t.txt", "-o", "out", *QUICK), "another process is at work in out")
