"""The process of one target. It reads commands from standard input and replies to each, as lines of JSON.

Commands are `{"do": "load"}`, `{"do": "go_on", "config": ..., "overrides": {...}}`,
`{"do": "run", "texts": [...], "seconds": ..., "voice": ...}` and
`{"do": "accuracy", "seconds": ..., "voice": ...}`; an error is replied as `{"error": ...}`. The process ends
with its input. Between commands it sleeps, so that another target can be measured meanwhile.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from alrakis.bench.measure.memory import gpu_bandwidth, peak_gpu_bytes, peak_rss_bytes, reset_peaks
from alrakis.bench.targets.peers import PEERS
from alrakis.errors import AlrakisError, BackendError


class Worker:
    """A target, and what it does for each command."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._program: Any = None

    def load(self) -> dict[str, Any]:
        began = time.perf_counter()
        options = self._options
        if options.target in PEERS:
            self._program = PEERS[options.target].open(options.weights, options.threads)
        else:
            from alrakis.bench.targets.program import Alrakis

            self._program = Alrakis(options.weights, options.target, self._overrides())
        return {"load_s": time.perf_counter() - began, "gpu_bandwidth": gpu_bandwidth()}

    def go_on(self, config: str, overrides: dict[str, Any]) -> dict[str, Any]:
        """Go on with another config, for which nothing has to be loaded anew."""
        self._program.go_on(config, overrides)
        return {}

    def run(self, texts: list[str], seconds: float, voice: str | None, fresh: bool = False) -> dict[str, Any]:
        """Generate. fresh: peaks of memory count from the start of the process instead of this call."""
        if not fresh:
            reset_peaks()
        if hasattr(self._program, "prepare"):  # it has to know a length when it loads
            self._program.prepare(seconds)
        began = time.perf_counter()
        generated = self._program.generate(texts, seconds, voice)
        wall_s = time.perf_counter() - began
        if not generated.audio_s:
            raise BackendError("it made no sound")
        return {
            "wall_s": wall_s,
            "audio_s": generated.audio_s,
            "stages": {name: work.model_dump() for name, work in generated.stages.items()},
            "step_bytes": generated.step_bytes,
            "peak_rss_bytes": peak_rss_bytes(),
            "peak_gpu_bytes": peak_gpu_bytes(),
            "torch": "torch" in sys.modules,
        }

    def accuracy(self, seconds: float, voice: str | None) -> dict[str, Any]:
        from alrakis.bench.measure.accuracy import measure_accuracy

        options = self._options
        parts = measure_accuracy(options.weights, options.target, self._overrides(), seconds, voice)
        return {"parts": [asdict(part) for part in parts]}

    def _overrides(self) -> dict[str, Any]:
        threads = {"threads": self._options.threads} if self._options.threads else {}
        return {**self._options.overrides, **threads}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", required=True, help="a peer, or a config of alrakis")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--overrides", type=json.loads, default={})
    worker = Worker(parser.parse_args())
    commands: dict[str, Callable[..., dict[str, Any]]] = {
        "load": worker.load,
        "go_on": worker.go_on,
        "run": worker.run,
        "accuracy": worker.accuracy,
    }
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print too, past sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin:
            command = json.loads(line)
            try:
                reply = commands[command.pop("do")](**command)
            except Exception as error:  # the session reports it and goes on with the other targets
                reply = {"error": _explain(error)}
            replies.write(json.dumps(reply) + "\n")


def _explain(error: Exception) -> str:
    if isinstance(error, AlrakisError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory"
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


if __name__ == "__main__":
    main()
