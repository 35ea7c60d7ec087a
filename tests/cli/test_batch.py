"""`alrakis batch`: an audio file a text, whatever happens to other texts or to the process."""

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from alrakis.audio_tags import read_tags
from tests.cli.programs import Run, alrakis_process, command, environment, refused
from tests.jobs.batches import QUICK, TEXTS, manifest, samples, states, write_items

# What it does.


def test_every_text_becomes_the_file_that_say_makes_of_it(texts: Path, run: Run) -> None:
    ended = run("batch", "t.txt", "-o", "out", "--format", "flac", *QUICK)
    assert (ended.code, ended.out) == (0, "")
    assert "made 6 files in out" in ended.err
    assert manifest(texts)[0]["settings"]["seed"] == 7
    items = {item["id"]: item for item in manifest(texts)[1:]}
    assert sorted(items) == [f"{n:04}" for n in range(1, 7)]
    for number, text in enumerate(TEXTS):
        item = items[f"{number + 1:04}"]
        path = texts / "out" / item["file"]
        assert (item["state"], item["text"], item["seed"]) == ("done", text, 7 + number)
        assert item["seconds"] == pytest.approx(soundfile.info(path).duration, abs=0.001)
        assert read_tags(path)["text"] == text
    run("say", TEXTS[2], "-o", "say.flac", *QUICK, "--seed", "9")
    assert np.array_equal(samples(texts / "say.flac"), samples(texts / "out" / "0003.flac"))


def test_a_cast_speaks_and_its_labels_are_not_said(here: Path, run: Run) -> None:
    tiny = ["--weights", "synthetic-tiny", "--config", "cpu-fp32"]
    tiny += ["--max-duration", "0.2", "--min-eos-p", "1"]
    assert run("say", "It is me.", "-o", "me.wav", "--save-voice", "me.npz", *tiny).code == 0
    (here / "t.txt").write_text("MAN: Good day.")
    assert run("batch", "t.txt", "-o", "out", "--cast", "MAN=me.npz", *tiny).code == 0
    tags = read_tags(here / "out" / "0001.wav")
    assert (tags["text"], Path(tags["voice"]).name) == ("Good day.", "me.npz")
    refused(run("batch", "t.txt", "-o", "out", "--cast", "DOG=me.npz", *tiny), "'DOG'", "speakers are MAN")


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
    refused(run("batch", "t.txt", "-o", "out", *QUICK, "--lang", "xx"), "'xx'", "de (German)")
    refused(run("batch", "t.txt", "-o", "out", *QUICK, "--voice", "nobody"), "nobody")
    refused(run("batch", "t.txt", "-o", "out", *QUICK, "--seed", "-1"), "-1")
    write_items(texts, {"text": "a", "file": "a.exe"})
    refused(run("batch", "t.jsonl", "-o", "out", *QUICK), ".exe", "no format")
    assert run("batch", "t.txt").code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(texts: Path, run: Run) -> None:
    (texts / "out").mkdir(mode=0o555)
    refused(run("batch", "t.txt", "-o", "out", *QUICK), "cannot write", "Permission denied")
