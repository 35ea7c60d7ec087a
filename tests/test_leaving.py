"""Processes that end while something is being said, and those that are forked."""

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest

from alrakis import Engine
from alrakis.errors import BackendError
from tests.long.spoken import SHORT
from tests.processes import run_python

BEGIN = """
    import sys, threading
    from alrakis import Engine
    engine = Engine("synthetic-tiny", {config!r}, threads=1)
    engine.generate("hello", seed=1, silent=True, max_gen_duration_s=0.1)
"""
LEFT = {
    "stream": 'pieces = engine.stream("Hello there. I like pizza. " * 9, seed=1); next(pieces)',
    "handle": 'handle = engine.submit("hello", seed=1, allow_early_stop=False)',
    "speech": 'speech = engine.submit_long("Hello there. " * 99, seed=1, allow_early_stop=False)',
    "waiting": 'wait = engine.submit("x", allow_early_stop=False).exception\n'
    "    threading.Thread(target=wait, daemon=True).start()",
}
ENDS = {"": 0, "sys.exit(3)": 3, "1 / 0": 1}


@pytest.mark.parametrize("config", ["torch-fp32", "cpu-fp32"])
def test_the_interpreter_ends_with_the_scripts_own_exit_code(config: str, tmp_path: Path) -> None:
    programs = [
        (left, end, code)
        for number, left in enumerate(LEFT.values())
        for end, code in (list(ENDS.items())[number % 3],)
    ] + [(LEFT["stream"], "sys.exit(3)", 3)]
    for left, end, code in programs:
        process = run_python(BEGIN.format(config=config) + f"    {left}\n    {end}\n", tmp_path)
        _, said = process.communicate()
        assert process.returncode == code, (left, end, said)
        assert ("Traceback" in said) == (end == "1 / 0"), said
        assert "terminate" not in said


# what a daemon does, and when the program ends: as it loads, as it says something
DAEMONS = {
    "loading": """
    real = type(engine.weights).stage
    type(engine.weights).stage = lambda self, stage: (begun.set(), real(self, stage))[1]
    work = engine.preload""",
    "speaking": """
    def work():
        engine.generate_long("Hello there. I like pizza. " * 9, on_move=lambda *_: begun.set())""",
}


@pytest.mark.parametrize("name", DAEMONS)
@pytest.mark.parametrize("config", ["torch-fp32", "cpu-fp32"])
def test_a_daemon_at_work_does_not_abort_the_end(config: str, name: str, tmp_path: Path) -> None:
    """For threads that are daemons the interpreter does not wait: it unwinds them, wherever they are."""
    program = f"""
    import sys, threading
    from alrakis import Engine
    begun = threading.Event()
    engine = Engine("demo", {config!r}, threads=1)
    {DAEMONS[name]}
    threading.Thread(target=work, daemon=True).start()
    begun.wait()
    sys.exit(3)
    """
    for _ in range(2):
        process = run_python(program, tmp_path)
        _, said = process.communicate()
        assert (process.returncode, "terminate" in said) == (3, False), said


def in_a_fork(work: Any) -> str:
    """What a function gives in a forked process."""
    context = multiprocessing.get_context("fork")
    reading, writing = context.Pipe(duplex=False)

    def child() -> None:
        try:
            writing.send(str(work()))
        except BackendError as error:
            writing.send(f"refused: {error}")

    process = context.Process(target=child)
    process.start()
    writing.close()
    said = str(reading.recv())
    process.join()
    assert process.exitcode == 0
    return said


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("config", ["torch-fp32", "cpu-fp32"])
def test_a_fork_is_refused_with_what_to_do(config: str) -> None:
    with Engine("synthetic-tiny", config, threads=1) as engine:
        before = engine.generate("hello", seed=5, silent=True, **SHORT)
        calls = [
            lambda: engine.generate("hello", silent=True, **SHORT),
            lambda: engine.submit("hello"),
            lambda: next(engine.stream("hello")),
            lambda: engine.generate_long("hello"),
            engine.preload,
            engine.unload,
        ]
        for call in calls:
            assert "refused: this engine was made before the process was forked" in in_a_fork(call)
        assert in_a_fork(engine.close) == "None"
        after = engine.generate("hello", seed=5, silent=True, **SHORT)
    assert (before.fine_tokens == after.fine_tokens).all()


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_at_any_moment_does_not_wait_for_locks_that_stayed_behind() -> None:
    with Engine("synthetic-tiny", "torch-fp32", threads=1) as engine:
        handle = engine.submit("hello", seed=1, allow_early_stop=False)
        held, let_go = threading.Event(), threading.Event()

        def hold() -> None:
            with engine._lock, engine._scheduler._changed:
                held.set()
                let_go.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        try:
            assert "forked" in in_a_fork(lambda: engine.generate("hello", silent=True))
            assert "forked" in in_a_fork(engine.preload)
            assert in_a_fork(engine.close) == "None"
        finally:
            let_go.set()
            holder.join()
        handle.cancel()


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_what_is_being_made_elsewhere_is_not_waited_for_in_a_fork() -> None:
    with Engine("synthetic-tiny", "cpu-fp32", threads=1) as engine:
        handle = engine.submit("hello", seed=1, allow_early_stop=False)
        speech = engine.submit_long("Hello there. I like pizza. " * 9, seed=1, allow_early_stop=False)
        stream = engine.stream("Hello there. I like pizza. " * 9, seed=1, allow_early_stop=False, silent=True)

        def with_speech() -> None:
            with speech:
                next(iter(speech))

        waits = (handle.result, handle.exception, speech.result, with_speech, lambda: next(iter(speech)))
        for wait in (*waits, lambda: next(stream)):
            assert "refused: this engine was made before the process was forked" in in_a_fork(wait)
        assert in_a_fork(handle.cancel) == "False"
        assert in_a_fork(speech.cancel) == "None"
        handle.cancel()
        speech.cancel()
