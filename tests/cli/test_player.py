"""A text on standard output while it is made: the samples of the file, as long as somebody listens."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.programs import Terminal, command, environment
from tests.jobs.books import DEMO, QUICK

BATCHES = ["--set", "max_batch=3"]


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


def test_audio_is_not_written_to_a_terminal(book: Path) -> None:
    terminal = Terminal("read", "book.txt", "--stream", *QUICK, folder=book)
    assert "pipe it into a player" in terminal.read_to_end()
    assert terminal.process.returncode == 2
