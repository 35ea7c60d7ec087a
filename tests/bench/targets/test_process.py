"""The process of a target, and what is said of its end."""

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from alrakis.bench.targets.process import Process, Target, TargetError, kill_all
from alrakis.bench.targets.program import Generated
from alrakis.bench.targets.worker import Worker
from alrakis.errors import BackendError

TINY = Target("mine", "cpu-fp32", "synthetic-tiny", 1)


def test_a_process_replies_and_ends() -> None:
    with Process(TINY) as process:
        assert process.ask(do="load")["load_s"] > 0
        reply = process.ask(do="run", texts=["Hello"], seconds=0.2, voice=None)
    assert reply["audio_s"] == pytest.approx(0.2, abs=0.05)
    assert not reply["torch"]


def test_an_error_is_a_reply_and_the_process_goes_on() -> None:
    with Process(Target("mine", "cpu-fp32", "synthetic-nothing", 1)) as process:
        for _ in range(2):
            with pytest.raises(TargetError, match="synthetic-nothing") as error:
                process.ask(do="load")
            assert error.value.alive


def test_a_killed_process_says_so() -> None:
    with Process(TINY) as process:
        process.kill()
        with pytest.raises(TargetError, match=r"killed by the system \(SIGKILL\)") as error:
            process.ask(do="load")
        assert not error.value.alive


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="nothing stands still on this system")
def test_a_process_that_hangs_is_ended_and_says_so() -> None:
    with Process(TINY, limit_s=0.2) as process:
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(TargetError, match=r"^ended, since it took over 0\.2 s$") as error:
            process.ask(do="load")
        assert not error.value.alive


def test_a_killed_process_leaves_no_temporary_files() -> None:
    """bark.cpp's weights, for one, are a file of a gigabyte."""
    with Process(TINY) as process:
        process.ask(do="load")
        told = Path(f"/proc/{process.pid}/environ")
        if not told.exists():
            pytest.skip("this system does not tell what a process was given")
        (given,) = (one for one in told.read_text().split("\0") if one.startswith("TMPDIR="))
        folder = Path(given.removeprefix("TMPDIR="))
        (folder / "weights.bin").write_bytes(b"large")
        process.kill()
    assert not folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="no groups of processes")
def test_what_a_process_has_started_ends_with_it() -> None:
    command = ["sh", "-c", "sleep 1000 & echo $!; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        kill_all(process)
        assert process.stdout.read() == ""  # nobody has it open any more
    assert process.returncode == -signal.SIGKILL
    kill_all(process)  # twice is nothing
    assert child


def test_a_target_without_a_sound_is_told() -> None:
    """A ratio to no seconds of audio would end the whole run."""
    worker = Worker(argparse.Namespace())
    worker._program = SimpleNamespace(generate=lambda *_: Generated(0.0, {}, None))
    with pytest.raises(BackendError, match="it made no sound"):
        worker.run(["Hello"], 1.0, None)


def test_what_a_library_prints_is_no_reply() -> None:
    program = """
import os, sys
from alrakis.bench.targets import worker
worker.Worker.load = lambda self: os.write(1, b"model size: 5 MB\\\\n") and {"load_s": 1.0}
sys.argv = ["worker", "--target", "cpu-fp32", "--weights", "synthetic-tiny"]
worker.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], input='{"do": "load"}\n', capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"load_s": 1.0}
    assert "model size: 5 MB" in done.stderr
