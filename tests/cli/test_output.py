"""Where a command's files go: told before any work if it cannot be, and said when it is done."""

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile

from alrakis.cli.output import audio_path, save_result, voice_path
from alrakis.errors import GenerationError, InputError, OutputError
from alrakis.result import Result
from alrakis.timings import Timings
from tests.cli.programs import Run, refused


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("x.xyz", "'.xyz', which names no format; give it one of .wav, .flac, .ogg, .mp3"),
        ("noextension", "no extension"),
        ("missing/x.wav", "there is no folder"),
        ("folder.wav", "is a folder"),
        ("/proc/x.wav", "cannot write"),
        ("a" * 300 + ".wav", "cannot write"),
        ("nul\0.wav", "not a file name"),
    ],
)
def test_a_bad_output_is_told_before_anything_else(run: Run, output: str, told: str) -> None:
    Path("folder.wav").mkdir()
    ended = run("say", "Hi", "-o", output, "--weights", "/no/such/weights", "--config", "nonsense")
    refused(ended, told)
    assert "nonsense" not in ended.err
    assert [path.name for path in Path().iterdir()] == ["folder.wav"]


@pytest.mark.parametrize("voice", ["x.txt", "missing/x.npz"])
def test_a_bad_place_for_a_voice_is_told_before_anything_else(run: Run, voice: str) -> None:
    refused(run("say", "Hi", "--save-voice", voice, "--config", "nonsense"), "npz")


def result(samples: int = 24_000, load_s: float = 0.0) -> Result:
    tokens = np.arange(5), np.zeros((2, 7), np.int64), np.zeros((8, 7), np.int64)
    audio = np.full(samples, 0.25, np.float32)
    return Result("Hi", audio, 24_000, *tokens, 7, None, "c", "w", Timings(load_s=load_s))


@pytest.mark.parametrize(
    ("load_s", "voice", "told"),
    [
        (0.0, None, "x.wav: 1.00 s of audio in 3.00 s (real-time factor 3.00), seed 7"),
        (
            1.0,
            None,
            "x.wav: 1.00 s of audio in 2.00 s after 1.0 s of loading (real-time factor 2.00), seed 7",
        ),
        (0.0, "x.npz", "x.wav and x.npz: 1.00 s of audio in 3.00 s (real-time factor 3.00), seed 7"),
    ],
)
def test_a_line_says_what_was_written_and_how_fast(
    here: Path, caplog: pytest.LogCaptureFixture, load_s: float, voice: str | None, told: str
) -> None:
    caplog.set_level(logging.INFO, logger="alrakis")
    for word in ("wrote", "replaced"):
        caplog.clear()
        save_result(result(load_s=load_s), 3.0, "x.wav", voice)
        assert caplog.messages == [f"{word} {told}"]
    assert soundfile.info("x.wav").frames == 24_000
    assert (here / "x.npz").exists() == (voice is not None)


def test_what_cannot_be_written_tells_the_seed(here: Path) -> None:
    with pytest.raises(OutputError, match=r"no folder .*; --seed 7 makes the same audio again"):
        save_result(result(), 1.0, "nowhere/x.wav")
    with pytest.raises(GenerationError, match="no speech was made for 'Hi'"):
        save_result(result(samples=0), 1.0, "x.wav")
    assert list(here.iterdir()) == []


def test_places_are_checked_without_a_trace(here: Path) -> None:
    assert audio_path("x.wav") == here / "x.wav"
    assert voice_path("x.npz") == here / "x.npz"
    for path in (lambda: audio_path("no/x.wav"), lambda: voice_path("no/x.npz"), lambda: voice_path("x.wav")):
        with pytest.raises(InputError):
            path()
    assert list(here.iterdir()) == []
