"""A text on standard output while it is made: the samples of the file, as long as somebody listens."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from alrakis.audio import pcm16, wav_header
from alrakis.cli.player import Player
from tests.cli.programs import Terminal, command, environment, slow_when
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


@pytest.mark.parametrize("mode", ["wb", "ab", "r+b"])
def test_a_stream_into_a_file_has_a_header_that_is_true(book: Path, mode: str) -> None:
    """Where standard output can go back, it says how long the audio is; what was in the file stays."""
    (book / "heard.wav").write_bytes(b"12345678")
    with open(book / "heard.wav", mode) as file:
        file.seek(4)
        code = subprocess.run(
            command("read", "book.txt", "--stream", "-o", "book.wav", *QUICK),
            cwd=book,
            stdout=file,
            env=environment(),
        ).returncode
    assert code == 0
    samples = soundfile.read(book / "book.wav", dtype="int16")[0].astype("<i2").tobytes()
    begin = {"wb": b"\0\0\0\0", "ab": b"12345678", "r+b": b"1234"}[mode]
    length = None if mode == "ab" else len(samples)
    assert (book / "heard.wav").read_bytes() == begin + wav_header(24_000, length) + samples


def test_a_stream_that_is_stopped_leaves_a_file_that_can_be_heard(book: Path) -> None:
    options = [*QUICK, "--set", "max_batch=1"]
    heard = slow_when('os.path.getsize("heard.wav") >= 10_000')
    with open(book / "heard.wav", "wb") as file:
        process = subprocess.Popen(
            command("read", "book.txt", "--stream", "-o", "book.wav", *options, first=heard),
            cwd=book,
            stdout=file,
            env=environment(),
        )
        while (book / "heard.wav").stat().st_size < 10_000:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert soundfile.info(book / "heard.wav").frames * 2 + 44 == (book / "heard.wav").stat().st_size


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


class Chunks:
    """A text that is being read, of which chunk i is i samples long and all at level i."""

    sample_rate_hz = 24_000

    def __init__(self, count: int, there: Sequence[int] = ()) -> None:
        self.wanted = [SimpleNamespace(chunk=i) for i in range(1, count + 1)]
        self._there = there

    def finished_s(self) -> dict[int, float]:
        return {chunk - 1: 1.0 for chunk in self._there}

    def audio(self, state: Any) -> Any:
        return np.full(state.chunk, state.chunk / 1000, np.float32)

    def whole(self) -> bytes:
        return b"".join(pcm16(self.audio(chunk)) for chunk in self.wanted)


class Listener:
    """Whoever reads standard output: the other end of a pipe."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        return self._write

    def heard(self) -> bytes:
        os.close(self._write)
        with open(self._read, "rb") as end:
            return end.read()

    def leave(self) -> None:
        os.close(self._read)


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Listener]:
    """Puts a listener in standard output's place, once the test has begun."""

    def put() -> Listener:
        made = Listener()
        monkeypatch.setattr(sys, "stdout", made)
        return made

    return put


@given(st.permutations(range(1, 7)), st.integers(0, 6))
def test_chunks_are_heard_in_order_whatever_the_order_they_are_made_in(
    listener: Callable[[], Listener], order: list[int], there: int
) -> None:
    reading, ear = Chunks(6, order[:there]), listener()
    with Player(reading, "pcm") as player:  # type: ignore[arg-type]
        for chunk in order[there:]:
            player.ready(chunk)
            player.check()
        player.end()
    assert ear.heard() == reading.whole()


def test_a_player_that_is_left_early_ends_after_what_it_has(listener: Callable[[], Listener]) -> None:
    reading, ear = Chunks(3, [1]), listener()
    with Player(reading, "wav") as player:  # type: ignore[arg-type]
        player.ready(3)
    player.end()
    assert ear.heard() == wav_header(24_000) + pcm16(np.full(1, 0.001, np.float32))


def test_without_a_form_nothing_is_written(listener: Callable[[], Listener]) -> None:
    reading, ear = Chunks(3), listener()
    with Player(reading, None) as player:  # type: ignore[arg-type]
        player.ready(1)
        player.end()
    assert ear.heard() == b""


def test_a_listener_who_has_left_is_noticed_by_whoever_makes_the_chunks(
    listener: Callable[[], Listener],
) -> None:
    reading, ear = Chunks(3, [1, 2, 3]), listener()
    ear.leave()
    with Player(reading, "pcm") as player:  # type: ignore[arg-type]
        with pytest.raises(BrokenPipeError):
            player.end()
        with pytest.raises(BrokenPipeError):
            player.check()
