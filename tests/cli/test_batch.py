"""`alrakis batch`: an audio file a text, whatever happens to other texts or to the process."""

import json
import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from alrakis.audio_tags import read_tags
from tests.cli.programs import Run, alrakis_process, refused, stopped_when
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


def test_killed_at_several_moments_it_makes_the_same_files(texts: Path) -> None:
    options = [*QUICK, "--set", "max_batch=2"]
    batch = ["batch", "t.txt", "-o", "out", *options]
    whole = undisturbed(texts, *options)
    out = texts / "out"
    moments: list[Callable[[], bool]] = [
        out.exists,
        (out / "manifest.jsonl").exists,
        lambda: any(out.glob("*.wav")),
        lambda: "done" in states(texts).values(),
        lambda: len(list(out.glob("*.wav"))) >= 5,
    ]
    killed = [stopped_when(moment, *batch, folder=texts)[0] for moment in moments]
    assert killed == [-signal.SIGKILL] * len(moments)
    with open(out / "manifest.jsonl", "ab") as file:
        file.write(b'{"id": "0006", "fi')  # a line that a killed process did not finish
    assert alrakis_process(*batch, folder=texts).code == 0
    assert {path.name: path.read_bytes() for path in out.glob("*.wav")} == whole
    assert set(states(texts).values()) == {"done"}
    assert sorted(path.name for path in out.iterdir() if path.suffix != ".wav") == [".lock", "manifest.jsonl"]


def test_ctrl_c_says_how_to_go_on(texts: Path) -> None:
    options = [*QUICK, "--set", "max_batch=1"]
    (texts / "out").mkdir()
    (texts / "out" / "manifest.jsonl").touch()
    made = lambda: any((texts / "out").glob("*.wav"))  # noqa: E731
    batch = ["batch", "t.txt", "-o", "out", *options]
    code, said = stopped_when(made, *batch, folder=texts, by=signal.SIGINT)
    assert code == 130
    assert "of 6 rows are in out; the same command goes on from there" in said
    assert said.endswith("alrakis: stopped\n")
    assert alrakis_process(*batch, folder=texts).code == 0
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


# Subtitles.


def cues(folder: Path, name: str) -> list[Any]:
    found: list[Any] = json.loads((folder / "out" / name).read_text())["cues"]
    return found


def test_subtitles_stand_beside_each_file(here: Path, run: Run) -> None:
    long = "This is a sentence of a long text, and it goes on for a while. " * 5
    write_items(
        here,
        {"text": "In 1999 it was late.", "id": "v1.2"},
        {"text": long, "file": "long.ogg"},
        {"text": "MAN: Good day.", "id": "man"},
    )
    said = ["batch", "t.jsonl", "-o", "out", "--subtitles", "json", "--json", "--normalise"]
    ended = run(*said, "--cast", "MAN=demo/rms", *QUICK)
    assert ended.code == 0, ended.err
    told = {row["id"]: row["subtitles"] for row in map(json.loads, ended.out.splitlines())}
    assert told == {"v1.2": "v1.2.json", "0002": "long.json", "man": "man.json"}
    (only,) = cues(here, "v1.2.json")
    assert only["text"] == "In 1999 it was late."
    (man,) = cues(here, "man.json")
    assert (man["text"], man["speaker"]) == ("Good day.", "MAN")
    parts = cues(here, "long.json")
    assert len(parts) > 1
    assert " ".join(cue["text"] for cue in parts) == long.strip()
    length_s = soundfile.info(here / "out" / "long.ogg").duration
    assert 0 <= parts[0]["begin"] < parts[0]["end"] < parts[1]["begin"] < parts[-1]["end"] <= length_s


def test_subtitles_that_are_missing_are_made_with_the_same_sound(texts: Path, run: Run) -> None:
    said = ["batch", "t.txt", "-o", "out", *QUICK]
    assert run(*said).code == 0
    before = {path.name: path.read_bytes() for path in (texts / "out").glob("*.wav")}
    assert "made 6 files" in run(*said, "--subtitles", "srt").err
    assert {path.name: path.read_bytes() for path in (texts / "out").glob("*.wav")} == before
    assert len(list((texts / "out").glob("*.srt"))) == 6
    (texts / "out" / "0003.srt").unlink()
    assert "made 1 files" in run(*said, "--subtitles", "srt").err
    assert TEXTS[2] in (texts / "out" / "0003.srt").read_text().replace("\n", " ")


def test_a_corrected_row_keeps_its_earlier_subtitles(texts: Path, run: Run) -> None:
    said = ["batch", "t.txt", "-o", "out", *QUICK, "--subtitles", "vtt"]
    assert run(*said).code == 0
    before = (texts / "out" / "0003.vtt").read_text()
    (texts / "t.txt").write_text("\n".join([*TEXTS[:2], "This is another text.", *TEXTS[3:]]))
    assert run(*said).code == 0
    assert (texts / "out" / "0003.1.vtt").read_text() == before
    assert "another" in (texts / "out" / "0003.vtt").read_text()


def test_rows_whose_subtitles_would_be_one_file_are_refused(here: Path, run: Run) -> None:
    write_items(here, {"text": "One.", "file": "a.wav"}, {"text": "Two.", "file": "A.flac"})
    refused(run("batch", "t.jsonl", "-o", "out", *QUICK, "--subtitles", "srt"), "same subtitles", "'A.srt'")
    assert not (here / "out").exists()
