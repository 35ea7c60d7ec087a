"""Runs a target in a process of its own. A crash is reported as an error with a reason in one line."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from alrakis.bench.targets.peers import PEERS
from alrakis.places.folders import own_cache

TEXT = "Hello, my name is Suno. And, uh, and I like pizza. But I also have other interests."
WARM_UP_S = 0.5  # seconds of audio, at most, that a target generates before it is measured
PATIENCE_S = 5  # how long a process may take to end by itself


class TargetError(Exception):
    """A target could not do something. alive: whether its process still takes commands."""

    def __init__(self, message: str, alive: bool) -> None:
        super().__init__(message)
        self.alive = alive


@dataclass(frozen=True)
class Target:
    """What is measured under one name. program: a peer, or a config of alrakis (a preset or a file)."""

    name: str
    program: str
    weights: str
    threads: int | None = None
    overrides: dict[str, Any] = field(default_factory=dict)

    @property
    def is_peer(self) -> bool:
        return self.program in PEERS


class Process:
    """A running worker (`alrakis.bench.targets.worker`).

    limit_s: it is killed when a command takes longer; None: it may take as long as it likes. Its temporary
    files are in a folder that is removed when it is closed: a worker that crashes or is killed removes none.
    """

    def __init__(self, target: Target, limit_s: float | None = None) -> None:
        from alrakis.bench.peers.environments import interpreter_of

        self.target, self.limit_s = target, limit_s
        self._over_s: float | None = None  # the limit that it went over
        self._folder = tempfile.TemporaryDirectory(prefix="alrakis-bench-")
        command = [
            interpreter_of(target.program),
            "-m",
            "alrakis.bench.targets.worker",
            "--target",
            target.program,
        ]
        command += ["--weights", target.weights, "--overrides", json.dumps(target.overrides)]
        if target.threads:
            command += ["--threads", str(target.threads)]
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.began_s = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env={**os.environ, "TMPDIR": self._folder.name, "ALRAKIS_CACHE": str(own_cache())},
            start_new_session=True,  # so that Ctrl-C reaches this process only
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(at_once=error is not None)

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for the reply. Raises TargetError if it fails or the process has died."""
        if self._process.stdin is None or self._process.stdout is None:
            raise TargetError("it has no pipes", alive=False)
        try:
            with self._watched():
                self._process.stdin.write(json.dumps(command) + "\n")
                self._process.stdin.flush()
                line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line.endswith("\n"):
            raise TargetError(self._reason_of_death(), alive=False)
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise TargetError(reply["error"], alive=True)
        return reply

    def kill(self) -> None:
        """End it and what it has started."""
        kill_all(self._process)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Kill the process when the block takes longer than it may."""

        def give_up() -> None:
            self._over_s = self.limit_s
            self.kill()

        if self.limit_s is None:
            yield
            return
        alarm = threading.Timer(min(max(self.limit_s, 0.1), threading.TIMEOUT_MAX), give_up)
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def close(self, *, at_once: bool = False) -> None:
        """End the process. at_once: kill it instead of waiting until it ends."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(0 if at_once else PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._stderr.close()
        with contextlib.suppress(OSError):
            self._folder.cleanup()

    def _reason_of_death(self) -> str:
        code = self._process.wait()
        if self._over_s is not None:
            return f"ended, since it took over {self._over_s:g} s"
        if code == -signal.SIGKILL:
            return "killed by the system (SIGKILL): most likely out of memory"
        if code < 0:
            return f"crashed ({signal.Signals(-code).name})"
        self._stderr.seek(0)
        last = next((line.strip() for line in reversed(self._stderr.readlines()) if line.strip()), "")
        return f"ended with exit code {code}" + (f": {last}" if last else "")


def kill_all(process: "subprocess.Popen[Any]") -> None:
    """End a process that began a session of its own, with all that it has started there."""
    if process.returncode is not None:  # it was waited for: its number may be another's by now
        return
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of one that has ended
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
