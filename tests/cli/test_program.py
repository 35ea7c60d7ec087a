"""The program: its help, and how it fails and stops: exit codes, messages, and nothing half done."""

import errno
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import alrakis
from alrakis.cli.program import guarded
from alrakis.errors import ConfigError, GenerationError, InputError, OutputError, WeightsNotFoundError
from tests.cli.programs import (
    BRIEF,
    TINY,
    Run,
    Terminal,
    alrakis_process,
    command,
    environment,
    refused,
    slow_when,
)


def test_weights_that_are_nowhere_say_where_to_put_them(tmp_path: Path) -> None:
    nowhere = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    options = ["--weights", "bark-small", "--config", "torch-fp32"]
    ended = alrakis_process("say", "Hi", *options, folder=tmp_path, **nowhere)
    assert ended.code == 1
    assert ended.err.startswith("alrakis: error: ")
    assert "Traceback" not in ended.err
    assert str(tmp_path / "suno" / "bark_v0" / "text.pt") in ended.err
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
    terminal = Terminal("say", "Hi", "-o", "x.wav", *TINY, folder=tmp_path, first=slow_when())
    terminal.read_until("text:")
    terminal.process.send_signal(signal.SIGINT)
    shown = terminal.read_to_end()
    assert terminal.process.returncode == 130
    assert shown.rstrip().splitlines()[-1] == "alrakis: stopped"
    assert "Traceback" not in shown
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]
    assert (tmp_path / "x.wav").read_bytes() == b"what was there before"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_cleans_up_as_ctrl_c_does(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Nothing stays: not in the folder, and no folder of artifacts among the temporary files."""
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("this signal is ignored here, and by all that is started here (nohup)")
    (tmp_path / "out").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "file").touch()
    process = subprocess.Popen(
        command("say", "Hi", "-o", "x.wav", "--weights", "demo", "--config", "cpu-fp32", first=slow_when()),
        cwd=tmp_path / "out",
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(tmp_path / "tmp"), ALRAKIS_CACHE=str(tmp_path / "file" / "cache")),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "exported fine" in line:
            break
    assert len(list((tmp_path / "tmp").glob("alrakis-*"))) == 1
    process.send_signal(number)
    while process.poll() is None:  # whoever is impatient sends more
        time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
    assert process.wait() == code
    assert process.stderr.read().endswith("alrakis: stopped\n")
    assert [*(tmp_path / "tmp").glob("alrakis-*"), *(tmp_path / "out").iterdir()] == []


def test_a_thread_that_loads_weights_does_not_abort_the_end(tmp_path: Path) -> None:
    """It goes in and out of compiled code all the time."""
    program = """
import threading
import numpy, onnxruntime, tempfile
from onnx import TensorProto, helper
from alrakis.cli.program import leave
from alrakis.serve import LOADING

value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", value[:1], value[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
begun = threading.Event()

def work():
    while True:
        session.run(None, {"x": numpy.zeros(1, "f4")})
        begun.set()

for _ in range(4):
    threading.Thread(target=work, name=LOADING, daemon=True).start()
begun.wait()
kept = tempfile.TemporaryDirectory(dir=".")
print("said")
leave(143)
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "said\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    program = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from alrakis.cli.program import guarded\n"
        "raise SystemExit(guarded(lambda: os.kill(os.getpid(), signal.SIGHUP)))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("can't start new thread"),
        ImportError("libx.so: failed to map segment from shared object"),
        ImportError("numpy\n\nwhy: [Errno 24] Too many open files: 'x.py'"),
    ],
)
def test_a_shortage_is_told_in_a_line(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise error

    assert guarded(fail) == 1
    told = capsys.readouterr().err
    assert told.startswith("alrakis: error: this process has too little memory, threads or open files: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("files", [12, 16, 24])
def test_few_open_files_are_told_in_a_line_or_enough(tmp_path: Path, files: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    arguments = ["say", "Hi", "-o", "x.wav", "-q", "--weights", "demo", "--config", "cpu-int8"]
    ended = alrakis_process(*arguments, "--max-duration", "0.2", folder=tmp_path, before=limit)
    assert ended.code in (0, 1)
    assert ended.out == ""
    assert "Traceback" not in ended.err
    if ended.code:
        assert ended.err.splitlines()[-1].startswith("alrakis: error: ")


def test_a_descriptor_that_was_closed_is_not_given_to_a_file(tmp_path: Path) -> None:
    """Else what a library prints would stand in the audio."""
    line = " ".join(f"'{part}'" for part in command("say", "Hi", "-o", "x.wav", "--seed", "1", *BRIEF))
    for number, stream in enumerate(("", ">&-", "<&-", "2>&-")):
        done = subprocess.run(["sh", "-c", f"{line} {stream}"], cwd=tmp_path, env=environment())
        assert done.returncode == 0
        (tmp_path / "x.wav").rename(tmp_path / f"{number}.wav")
    assert len({path.read_bytes() for path in tmp_path.glob("*.wav")}) == 1


def test_ctrl_c_while_waiting_for_text(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "text")
    process = subprocess.Popen(
        command("say", "-f", "text"), cwd=tmp_path, stderr=subprocess.PIPE, env=environment()
    )
    with open(tmp_path / "text", "wb"):  # opens when the program opens it to read
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, b"alrakis: stopped\n")


def test_ctrl_c_again_ends_at_once_what_is_left_to_end(tmp_path: Path) -> None:
    """As a library has it, which registered a function that takes its time."""
    left = """
import atexit, pathlib, time
atexit.register(lambda: (pathlib.Path("ending").touch(), time.sleep(3600)))
"""
    os.mkfifo(tmp_path / "text")
    process = subprocess.Popen(
        command("say", "-f", "text", first=left), cwd=tmp_path, stderr=subprocess.PIPE, env=environment()
    )
    with open(tmp_path / "text", "wb"):
        process.send_signal(signal.SIGINT)
        while not (tmp_path / "ending").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (-signal.SIGINT, b"alrakis: stopped\n")


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command("voices"), stdout=writer, stderr=subprocess.PIPE, env=environment())
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_closed_streams_are_told_by_the_exit_code_alone(tmp_path: Path) -> None:
    shell = "exec {} >&- 2>&- <&-"
    for arguments, code in ((["voices"], 1), (["say"], 2)):
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


def test_a_message_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("alrakis")

    def program() -> None:
        for word in ("one", "two", "one", "one"):
            logger.warning("no sound for %s", word)
        logger.info("no sound for one")

    for _ in range(2):  # another program says it again
        assert guarded(program) == 0
    lines = ["alrakis: warning: no sound for one", "alrakis: warning: no sound for two"]
    assert capsys.readouterr().err.splitlines() == [*lines, "alrakis: no sound for one"] * 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sya", "hi"], "did you mean 'say'?"),
        (["say", "hi", "--wieghts", "demo"], "did you mean '--weights'?"),
        (["say", "hi", "--sede=3"], "did you mean '--seed'?"),
        (["read", "x", "--stteady", "voice"], "did you mean '--steady'?"),
        (["batch", "x.txt", "-o", "out", "--fromat", "flac"], "did you mean '--format'?"),
        (["batch", "x.txt", "-o", "out", "--format", "wave"], "did you mean 'wav'?"),
        (["voices", "--json", "--lnag", "de"], "did you mean '--lang'?"),
        (["batch", "x.txt", "--outptu", "out"], "required: -o/--output; there is no --outptu; did you mean"),
        (["batch", "x.txt"], "required: -o/--output (`alrakis batch"),
        (["export", "--qqqqqqqq"], "unrecognized arguments: --qqqqqqqq (`alrakis export --help`"),
    ],
)
def test_a_slip_is_told_what_may_be_meant(run: Run, arguments: list[str], told: str) -> None:
    refused(run(*arguments), told)


def test_errors_speak_flags_on_the_command_line_and_python_in_python() -> None:
    from alrakis.cli.program import _explain

    error = WeightsNotFoundError('or do without: weights="demo" speaks; config="cpu-int8"')
    assert _explain(error) == "or do without: --weights demo speaks; --config cpu-int8"
    assert 'weights="demo"' in str(error)


NARROW = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "COLUMNS": "0", "TERM": "dumb"}


@pytest.mark.parametrize("changes", [NARROW, {**NARROW, "COLUMNS": "x", "PYTHONIOENCODING": "ascii:strict"}])
def test_an_encoding_without_the_letters_and_a_terminal_without_a_width(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    (tmp_path / "b.txt").write_text("Caf\u00e9 \u2014 \u201cone\u201d. \u041f\u0440.", "utf-8")
    read = ["read", "b.txt", "-o", "b.wav"]
    made = [*read, "--weights", "demo", "--config", "torch-fp32", "--max-duration", "0.2"]
    for arguments in (made, [*read, "--list"], ["voices"], ["say", "--help"], ["info"]):
        ended = alrakis_process(*arguments, folder=tmp_path, **changes)
        assert ended.code == 0, ended.err
        assert "Traceback" not in ended.err
    ended = alrakis_process("say", "\u00e9", "-o", "\u041f/x.wav", folder=tmp_path, **changes)
    assert ended.code == 2
    assert "Traceback" not in ended.err


def test_a_home_folder_that_is_nobodys_is_a_name_like_any_other(here: Path, run: Run) -> None:
    ended = run("export", "--clean", "-o", "~no-such-account/x")
    refused(ended, "~no-such-account/x")


@pytest.mark.parametrize(
    ("module", "extra"),
    [("rich.console", "bench"), ("scipy", "bench"), ("pynvml", "bench"), ("pyloudnorm", "loudness")],
)
def test_a_missing_extra_is_told_in_a_line(
    module: str, extra: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def program() -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    assert guarded(program) == 1
    (line,) = capsys.readouterr().err.splitlines()
    package = {"pynvml": "nvidia-ml-py"}.get(module, module.partition(".")[0])
    assert line == f"alrakis: error: {package} is not installed: pip install 'alrakis[{extra}]'"


def test_a_module_that_no_extra_has_is_a_defect() -> None:
    def program() -> None:
        raise ModuleNotFoundError("No module named 'alrakis.nothing'", name="alrakis.nothing")

    with pytest.raises(ModuleNotFoundError):
        guarded(program)


@pytest.mark.parametrize("command", ["report", "run"])
def test_the_benchmark_without_its_extra(tmp_path: Path, command: str) -> None:
    results = next((Path(__file__).parents[2] / "bench" / "results").glob("*.json"))
    arguments = ["run", "--suite", "quick"] if command == "run" else ["report", str(results)]
    program = f"""
import sys
sys.modules.update(dict.fromkeys(["rich", "scipy", "matplotlib", "jinja2"]))
from alrakis.bench.cli import main
main({arguments!r})
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "pip install 'alrakis[bench]'" in done.stderr
