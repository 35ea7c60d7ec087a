"""The process of a target, and what is said of its end."""

import json
import subprocess
import sys

import pytest

from alrakis.bench.targets.process import Process, Target, TargetError

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
