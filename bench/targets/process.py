"""A target's own process: started, asked, and ended; whatever happens to it is told in a line."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from alrakis.bench.targets.peers import PEERS

PATIENCE_S = 5  # for a process to end by itself


class TargetError(Exception):
    """What a target could not do, for its row. alive: whether its process still takes commands."""

    def __init__(self, message: str, alive: bool) -> None:
        super().__init__(message)
        self.alive = alive


@dataclass(frozen=True)
class Target:
    """One program with one config over one set of weights."""

    name: str
    program: str  # a peer's name, or a config: a preset or a file
    weights: str
    threads: int | None = None
    overrides: dict[str, Any] = field(default_factory=dict)

    @property
    def is_peer(self) -> bool:
        return self.program in PEERS


class Process:
    """A running worker."""

    def __init__(self, target: Target) -> None:
        self.target = target
        command = [sys.executable, "-m", "alrakis.bench.targets.worker", "--target", target.program]
        command += ["--weights", target.weights, "--overrides", json.dumps(target.overrides)]
        if target.threads:
            command += ["--threads", str(target.threads)]
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.began_s = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,  # a Ctrl-C is for the one who asks
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(at_once=error is not None)

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its reply. Raises TargetError when it cannot, or has died."""
        if self._process.stdin is None or self._process.stdout is None:
            raise TargetError("it has no pipes", alive=False)
        try:
            self._process.stdin.write(json.dumps(command) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line.endswith("\n"):
            raise TargetError(self._death(), alive=False)
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise TargetError(reply["error"], alive=True)
        return reply

    def kill(self) -> None:
        self._process.kill()

    def close(self, *, at_once: bool = False) -> None:
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
        self._said.close()

    def _death(self) -> str:
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return "killed by the system (SIGKILL): most likely out of memory"
        if code < 0:
            return f"crashed ({signal.Signals(-code).name})"
        self._said.seek(0)
        last = next((line.strip() for line in reversed(self._said.readlines()) if line.strip()), "")
        return f"ended with exit code {code}" + (f": {last}" if last else "")
