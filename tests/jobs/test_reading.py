"""Reading into a folder of work: what is kept, made anew, and joined."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from alrakis import Engine
from alrakis.errors import GenerationError
from alrakis.jobs.reading import Reading
from alrakis.jobs.reading_folder import ReadingFolder
from alrakis.jobs.settings import Asked
from alrakis.sampling import Options
from tests.cli.programs import Run, refused
from tests.jobs.books import QUICK, READ, TEXT, audio_of, heard, manifest, states


def test_pauses_may_be_changed_later(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    before = soundfile.info(book / "book.flac").duration
    pauses = sum(chunk["pause"] == "sentence" for chunk in manifest(book)["chunks"])
    again = run(*READ, *QUICK, "--set", "pause_sentence_s=1.3")
    assert "joined from chunks that were there" in again.err
    assert soundfile.info(book / "book.flac").duration == pytest.approx(before + pauses, abs=0.01)


def test_a_chunk_is_made_anew_with_another_seed(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    old, audio = manifest(book)["chunks"], audio_of(book, 3).read_bytes()
    assert run(*READ, "--redo", "3").code == 0
    new = manifest(book)["chunks"]
    assert [a == b for a, b in zip(old, new, strict=True)] == [chunk["chunk"] != 3 for chunk in old]
    first, second = new[2]["takes"]
    assert first == old[2]["takes"][0]
    assert second["seed"] != first["seed"]
    assert audio_of(book, 3).read_bytes() != audio
    refused(run(*READ, "--redo", "99"), "no chunk 99", f"1 to {len(old)}")


def test_an_earlier_take_is_chosen_again(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    first = (book / "book.flac").read_bytes()
    run(*READ, "--redo", "3", "--redo", "2")
    assert (book / "book.flac").read_bytes() != first
    ended = run(*READ, "--take", "3=1", "--take", "2=1")
    assert "joined from chunks that were there" in ended.err
    assert (book / "book.flac").read_bytes() == first
    refused(run(*READ, "--take", "3=3"), "no take 3 of chunk 3; it has takes 1 to 2")
    refused(run(*READ, "--take", "99=1"), "no chunk 99")
    for wrong in ("3", "3=", "=1", "3=x", "-1=2"):
        refused(run(*READ, f"--take={wrong}"), "N=K")
    refused(run(*READ, "--take", "3=1", "--take", "3=2"), "chunk 3 twice")
    listed = run(*READ, "--list").out.splitlines()
    assert len(listed) == len(states(book)) + 4, "a line a take, the heading and the sum"
    assert sum("  1*" in line for line in listed) == 2


def test_a_first_chunk_made_anew_stays_in_the_voice_of_the_others(book: Path, run: Run) -> None:
    (book / "book.txt").write_text(TEXT.split("\n\n")[0])
    tiny = ["--weights", "synthetic-tiny", "--config", "cpu-fp32", "--seed", "7", "--max-duration", "0.5"]
    tiny += ["--min-eos-p", "1", "--set", "opening_s=2", "--set", "pack_s=3"]
    run(*READ, *tiny)
    assert [take["voice"] for take in heard(book)][:2] == [None, "chunk 1"]
    for wanted in ("chunk 1", "chunk 1"):  # made anew, then corrected
        assert run(*READ, "--redo", "1").code == 0
        assert heard(book)[0]["voice"] == wanted
        (book / "book.txt").write_text((book / "book.txt").read_text().replace("morning", "evening"))


def test_chunks_whose_files_are_gone_are_made_again(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    audio = audio_of(book, 2).read_bytes()
    audio_of(book, 2).unlink()
    assert run(*READ).code == 0
    assert audio_of(book, 2).read_bytes() == audio


CORRECTED = TEXT.replace("cold", "very cold").replace("The second day", "A new sentence.\n\nThe second day")


def test_a_corrected_text_remakes_what_changed(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    old = {take["text"]: take for take in heard(book)}
    files = {path.name: path.stat().st_mtime_ns for path in (book / "book.flac.work").glob("*-*.flac")}
    (book / "book.txt").write_text(CORRECTED)
    ended = run(*READ)
    assert ended.code == 0, ended.err
    changed = [chunk for chunk in manifest(book)["chunks"] if chunk["text"] not in old]
    numbers = ", ".join(str(chunk["chunk"]) for chunk in changed)
    assert len(changed) == 2
    assert f"2 of {len(states(book))} chunks changed: {numbers}\n" in ended.err
    assert all(take == old[take["text"]] for take in heard(book) if take["text"] in old)
    for name, time_ns in files.items():
        assert (book / "book.flac.work" / name).stat().st_mtime_ns == time_ns
    earlier = changed[0]
    assert [take["text"] for take in earlier["takes"]] == [
        earlier["text"].replace("very cold", "cold"), earlier["text"],
    ]  # fmt: skip
    assert "chunks changed" not in run(*READ).err
    (book / "book.txt").write_text(TEXT)
    again = run(*READ)
    assert "joined from chunks that were there" in again.err
    assert "1 of before are left out" in again.err
    assert {take["text"]: take for take in heard(book)} == old


def test_going_on_needs_no_settings_again(book: Path, run: Run) -> None:
    tiny = [
        "--weights",
        "synthetic-tiny",
        "--config",
        "cpu-fp32",
        "--max-duration",
        "0.3",
        "--min-eos-p",
        "1",
    ]
    for seed in ("1", "2"):
        run("say", "Me.", "-o", "me.wav", "--save-voice", f"me{seed}.npz", "--seed", seed, *tiny)
    (book / "book.txt").write_text("Once upon a time.\nMAN: Good day.\nAnd so on.\nMAN: Good bye.")
    cast = ["--voice", "me1.npz", "--cast", "MAN=me2.npz", "--lang", "de", "--steady", "chain"]
    assert run(*READ, *tiny, *cast, "--text-temp", "0.9").code == 0
    whole, settings = (book / "book.flac").read_bytes(), manifest(book)["settings"]
    assert not any(take["text"].startswith("MAN:") for take in heard(book))
    for path in [audio_of(book, number) for number in range(1, len(states(book)) + 1)]:
        path.unlink()
    for name in ("me1.npz", "me2.npz"):  # they are in the folder of work
        (book / name).unlink()
    assert run(*READ).code == 0
    assert (book / "book.flac").read_bytes() == whole
    assert manifest(book)["settings"] == settings
    run("say", "Me.", "-o", "me.wav", "--save-voice", "me1.npz", "--seed", "3", *tiny)
    refused(run(*READ, "--voice", "me1.npz"), "the voice", "me1.npz", "holds something else now")
    refused(
        run(*READ, "--voice", "demo/slt", "--weights", "demo"), "weights was 'synthetic-tiny', now 'demo'"
    )


def test_what_is_read_is_what_generate_long_makes_of_the_text(tmp_path: Path) -> None:
    """Batches and seeds are the same; chunks were kept in 24 bits, the whole is written in 16."""
    options = Options(max_gen_duration_s=0.5)
    with Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=3, pack_s=3.0) as engine:
        whole = engine.generate_long(TEXT, seed=7, options=options)
        folder = ReadingFolder(tmp_path / "work")
        with folder.hold():
            reading = Reading(engine, TEXT, Asked(seed=7, options=asdict(options)), folder)
            assert reading.finished_s() == {}
            made = list(reading.make())
            seconds = reading.join(str(tmp_path / "book.wav"))
    assert sorted(chunk.chunk for chunk in made) == [piece.index + 1 for piece in whole.pieces]
    assert [chunk.text for chunk in reading.manifest.chunks] == [piece.chunk.text for piece in whole.pieces]
    assert reading.finished_s() == {chunk.chunk - 1: chunk.chosen.seconds for chunk in made}
    assert seconds == whole.duration_s
    found = soundfile.read(tmp_path / "book.wav", dtype="float32")[0]
    np.testing.assert_allclose(found, np.clip(whole.audio, -1, 1), atol=2**-14)


def test_a_text_of_silent_chunks_has_no_file(tmp_path: Path) -> None:
    with Engine("synthetic-tiny", "torch-fp32", threads=1) as engine:
        folder = ReadingFolder(tmp_path / "work")
        with folder.hold():
            asked = Asked(seed=7, options={"min_eos_p": 0.0})
            reading = Reading(engine, "Nothing is said.", asked, folder)
            assert [chunk.chosen.state for chunk in reading.make()] == ["silent"]
            with pytest.raises(GenerationError, match="try another --seed"):
                reading.join(str(tmp_path / "x.wav"))
    assert not (tmp_path / "x.wav").exists()
