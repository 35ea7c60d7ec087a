"""Where a command's files go: told before any work if it cannot be, and said when it is done."""

from pathlib import Path

import pytest

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
