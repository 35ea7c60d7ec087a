"""`alrakis say`, used rightly."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

import alrakis
from alrakis.audio_tags import read_tags
from tests.cli.programs import BRIEF, Ended, Run, Terminal, alrakis_process, command, environment


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A folder with hello.flac and hello.npz, and how the process that said them ended."""
    folder = tmp_path_factory.mktemp("spoken")
    words = ["say", "Hello", "there,  Suno", "-o", "hello.flac", "--save-voice", "hello.npz"]
    return folder, alrakis_process(*words, "--seed", "7", *BRIEF, folder=folder)


def test_say_writes_audio_and_says_so_in_a_line(spoken: tuple[Path, Ended]) -> None:
    folder, ended = spoken
    assert (ended.code, ended.out) == (0, ""), ended.err
    info = soundfile.info(folder / "hello.flac")
    assert (info.samplerate, info.channels, info.format) == (24_000, 1, "FLAC")
    (line,) = ended.err.splitlines()  # a line and nothing else: no progress bar outside a terminal
    assert line.startswith(f"alrakis: wrote hello.flac and hello.npz: {info.duration:.2f} s of audio in ")
    assert "(real-time factor " in line
    assert line.endswith("seed 7")


def test_tags_tell_how_to_make_it_again(spoken: tuple[Path, Ended], run: Run) -> None:
    tags = read_tags(spoken[0] / "hello.flac")
    assert tags["software"] == f"alrakis {alrakis.__version__}"
    origin = json.dumps(tags)
    for part in ("Hello there, Suno", "synthetic-tiny", "torch-fp32", "7"):
        assert part in origin
    assert run("say", "Hello there, Suno", "-o", "again.flac", "--seed", "7", *BRIEF).code == 0
    first, again = (soundfile.read(path)[0] for path in (spoken[0] / "hello.flac", "again.flac"))
    assert np.allclose(first, again, atol=1e-3)


def test_a_saved_voice_is_a_voice(spoken: tuple[Path, Ended], run: Run) -> None:
    folder = spoken[0]
    with np.load(folder / "hello.npz") as voice:
        assert voice["fine_prompt"].shape[0] == 8
    plain = run("say", "Hello", "-o", "plain.wav", "--seed", "1", *BRIEF)
    ended = run(
        "say", "Hello", "-o", "voice.wav", "--seed", "1", "--voice", str(folder / "hello.npz"), *BRIEF
    )
    assert (plain.code, ended.code) == (0, 0)
    assert "hello.npz" in json.dumps(read_tags("voice.wav"))
    assert not np.array_equal(soundfile.read("plain.wav")[0], soundfile.read("voice.wav")[0])


def test_audio_goes_to_standard_output_as_it_goes_into_a_file(tmp_path: Path) -> None:
    words = command("say", "Hello", "--seed", "7", *BRIEF)
    said = subprocess.run([*words, "-o", "-"], cwd=tmp_path, capture_output=True, env=environment())
    assert said.returncode == 0
    assert b"wrote to standard output: " in said.stderr
    assert list(tmp_path.iterdir()) == []
    subprocess.run([*words, "-o", "x.wav"], cwd=tmp_path, env=environment())
    assert said.stdout == (tmp_path / "x.wav").read_bytes()
    terminal = Terminal("say", "Hello", "-o", "-", *BRIEF, folder=tmp_path)
    assert "pipe it into a player" in terminal.read_to_end()
    assert terminal.process.returncode == 2


def test_text_from_standard_input_quietly(tmp_path: Path) -> None:
    text = "\ufeffZażółć gęślą jaźń\n".encode()
    ended = alrakis_process("say", "-q", "-o", "piped.ogg", *BRIEF, folder=tmp_path, stdin=text)
    assert ended == Ended(0, "", "")
    assert "Zażółć gęślą jaźń" in json.dumps(read_tags(tmp_path / "piped.ogg"), ensure_ascii=False)


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_formats(run: Run, extension: str) -> None:
    assert run("say", "Hi", "-o", f"x.{extension}", "--seed", "1", *BRIEF).code == 0  # some seeds end at once
    assert soundfile.info(f"x.{extension}").duration == pytest.approx(0.4, abs=0.1)


def test_the_default_output_is_replaced_and_that_is_said(run: Run) -> None:
    assert "alrakis: wrote out.wav: " in run("say", "Hi", *BRIEF).err
    first = Path("out.wav").read_bytes()
    assert "alrakis: replaced out.wav: " in run("say", "Hi", *BRIEF).err
    assert Path("out.wav").read_bytes() != first, "without a seed every call has one of its own"
    assert [path.name for path in Path().iterdir()] == ["out.wav"]


def test_text_from_a_file(run: Run) -> None:
    Path("letter.txt").write_text("Dear reader,\n\nall is well.\n", "utf-8")
    assert run("say", "-f", "letter.txt", *BRIEF).code == 0
    assert "Dear reader, all is well." in json.dumps(read_tags("out.wav"))


def test_the_language_may_be_given(run: Run) -> None:
    Path("l.toml").write_text("[language.de.words]\nboot = 'boht'\n")
    asked = ("say", "Boot 5.", "--lexicon", "l.toml", "--normalise", "--json", "-o", "a.wav", *BRIEF)
    assert json.loads(run(*asked, "--lang", "de").out)["said"] == "boht 5."
    assert json.loads(run(*asked).out)["said"] == "Boot five."
    assert "no language 'xx'" in run(*asked, "--lang", "xx").err


def test_the_demo_says_what_it_is(run: Run) -> None:
    demo = ["say", "Hi.", "--weights", "demo", "--config", "torch-fp32", "--max-duration", "0.3"]
    shown = run(*demo).err.splitlines()
    assert len(shown) == 2
    assert "demo" in shown[0]
    assert "Bark itself" in shown[0]
    assert run(*demo, "--quiet").err == ""


def test_a_cut_text_is_warned_of_even_quietly(run: Run) -> None:
    ended = run("say", "word " * 300, "-q", *BRIEF)
    assert ended.code == 0
    assert ended.err.startswith("alrakis: warning: text too long")


def test_no_speech_is_a_failure_without_a_file(run: Run) -> None:
    ended = run("say", "Hi", "--min-eos-p", "0", *BRIEF)
    assert ended.code == 1
    assert "alrakis: error: no speech was made for 'Hi'" in ended.err
    assert not Path("out.wav").exists()


def test_progress_is_shown_on_a_terminal_in_seconds_of_audio(tmp_path: Path) -> None:
    terminal = Terminal("say", "Hi", "-o", "x.wav", *BRIEF, folder=tmp_path)
    shown = terminal.read_to_end()
    assert terminal.process.returncode == 0, shown
    seconds = soundfile.info(tmp_path / "x.wav").duration
    for stage in ("coarse", "fine", "codec"):
        assert f"{stage}: 100%" in shown
    assert f"{seconds:.1f}/{seconds:.1f} s of audio" in shown
    assert "text: 0.4 s of audio" in shown
