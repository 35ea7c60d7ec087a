"""Reading into a folder of work: what is kept, made anew, and joined."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from alrakis import Engine
from alrakis.errors import GenerationError
from alrakis.jobs.reading import Reading, ReadingTask
from alrakis.jobs.reading_folder import ReadingFolder
from alrakis.sampling import Options
from tests.cli.programs import Run, refused
from tests.jobs.books import QUICK, READ, TEXT, manifest


def test_pauses_may_be_changed_later(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    before = soundfile.info(book / "book.flac").duration
    pauses = sum(chunk["pause"] == "sentence" for chunk in manifest(book)["chunks"])
    again = run(*READ, *QUICK, "--set", "pause_sentence_s=1.3")
    assert "joined from chunks that were there" in again.err
    assert soundfile.info(book / "book.flac").duration == pytest.approx(before + pauses, abs=0.01)


def test_a_chunk_is_made_anew_with_another_seed(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    old, audio = manifest(book)["chunks"], (book / "book.flac.work" / "0003.flac").read_bytes()
    ended = run(*READ, *QUICK, "--redo", "3")
    assert ended.code == 0
    new = manifest(book)["chunks"]
    assert [a == b for a, b in zip(old, new, strict=True)] == [chunk["chunk"] != 3 for chunk in old]
    assert new[2]["seed"] != old[2]["seed"]
    assert (book / "book.flac.work" / "0003.flac").read_bytes() != audio
    refused(run(*READ, *QUICK, "--redo", "99"), "no chunk 99", f"1 to {len(old)}")


def test_a_first_chunk_made_anew_stays_in_the_voice_of_the_others(book: Path, run: Run) -> None:
    (book / "book.txt").write_text(TEXT.split("\n\n")[0])
    tiny = ["--weights", "synthetic-tiny", "--config", "cpu-fp32", "--seed", "7", "--max-duration", "0.5"]
    tiny += ["--min-eos-p", "1", "--set", "opening_s=2", "--set", "pack_s=3"]
    run(*READ, *tiny)
    assert [chunk["voice"] for chunk in manifest(book)["chunks"]][:2] == [None, "chunk 1"]
    first = (book / "book.flac.work" / "0001.npz").read_bytes()
    assert run(*READ, *tiny, "--redo", "1").code == 0
    assert manifest(book)["chunks"][0]["voice"] == "chunk 1"
    assert (book / "book.flac.work" / "voice-1.npz").read_bytes() == first
    assert (book / "book.flac.work" / "0001.npz").read_bytes() != first


def test_chunks_whose_files_are_gone_are_made_again(book: Path, run: Run) -> None:
    run(*READ, *QUICK)
    (book / "book.flac.work" / "0002.flac").unlink()
    assert run(*READ, *QUICK).code == 0
    assert (book / "book.flac.work" / "0002.flac").exists()


def test_what_is_read_is_what_generate_long_makes_of_the_text(tmp_path: Path) -> None:
    """Batches and seeds are the same; chunks were kept in 24 bits, the whole is written in 16."""
    options = Options(max_gen_duration_s=0.5)
    with Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=3, pack_s=3.0) as engine:
        whole = engine.generate_long(TEXT, seed=7, options=options)
        folder = ReadingFolder(tmp_path / "work")
        with folder.hold():
            reading = Reading(engine, ReadingTask(TEXT, seed=7, options=options), folder)
            assert reading.finished_s() == {}
            made = list(reading.make())
            seconds = reading.join(str(tmp_path / "book.wav"))
    assert sorted(chunk.chunk for chunk in made) == [piece.index + 1 for piece in whole.pieces]
    assert [chunk.text for chunk in reading.manifest.chunks] == [piece.chunk.text for piece in whole.pieces]
    assert reading.finished_s() == {chunk.chunk - 1: chunk.seconds for chunk in made}
    assert seconds == whole.duration_s
    found = soundfile.read(tmp_path / "book.wav", dtype="float32")[0]
    np.testing.assert_allclose(found, np.clip(whole.audio, -1, 1), atol=2**-14)


def test_a_text_of_silent_chunks_has_no_file(tmp_path: Path) -> None:
    with Engine("synthetic-tiny", "torch-fp32", threads=1) as engine:
        folder = ReadingFolder(tmp_path / "work")
        with folder.hold():
            task = ReadingTask("Nothing is said.", seed=7, options=Options(min_eos_p=0.0))
            reading = Reading(engine, task, folder)
            assert [chunk.state for chunk in reading.make()] == ["silent"]
            with pytest.raises(GenerationError, match="try another --seed"):
                reading.join(str(tmp_path / "x.wav"))
    assert not (tmp_path / "x.wav").exists()
