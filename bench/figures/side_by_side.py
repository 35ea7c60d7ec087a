"""Measures targets in turn (A B C A B C); while one works, the others sleep."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from alrakis.bench.targets.process import TEXT, WARM_UP_S, Process, Target, TargetError
from alrakis.errors import BackendError
from alrakis.spec import PARTS


@dataclass(frozen=True)
class Call:
    """One measured call. stages_s: seconds by part. peak_rss_bytes: since the start of the process."""

    rtf: float
    stages_s: dict[str, float]
    peak_rss_bytes: int
    torch: bool


@contextmanager
def running(targets: Sequence[Target]) -> Iterator[list[Process]]:
    """Processes of the targets, loaded one after the other."""
    with ExitStack() as stack:
        processes = []
        for target in targets:
            process = stack.enter_context(Process(target))
            reply = ask(process, do="load")
            print(f"  {target.name}: loaded in {reply['load_s']:.1f} s", file=sys.stderr)
            processes.append(process)
        yield processes


def interleaved(
    processes: Sequence[Process], repeats: int, seconds: float, voice: str | None
) -> list[list[Call]]:
    """The calls of each process: after a warm-up, one in each round."""
    for process in processes:
        generate(process, min(seconds, WARM_UP_S), voice)
    calls: list[list[Call]] = [[] for _ in processes]
    for _ in range(repeats):
        for process, own in zip(processes, calls, strict=True):
            own.append(generate(process, seconds, voice))
            print(f"  {process.target.name}: RTF {own[-1].rtf:.2f}", file=sys.stderr)
    return calls


def generate(process: Process, seconds: float, voice: str | None) -> Call:
    """Have a loaded process generate audio once. Raises BackendError."""
    reply = ask(process, do="run", texts=[TEXT], seconds=seconds, voice=voice, fresh=True)
    stages_s: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    for stage, work in reply["stages"].items():
        part = stage.partition("_")[0].replace("semantic", "text")
        stages_s[part] += work["seconds"]
    return Call(reply["wall_s"] / reply["audio_s"], stages_s, reply["peak_rss_bytes"], reply["torch"])


def ask(process: Process, **command: Any) -> dict[str, Any]:
    """The reply to a command. Raises BackendError, because a table needs all of its targets."""
    try:
        return process.ask(**command)
    except TargetError as error:
        raise BackendError(f"{process.target.name}: {error}") from None


def median_ratio(a: Sequence[Call], b: Sequence[Call]) -> float:
    """The median over rounds of the RTF of `a` over that of `b`."""
    return median(x.rtf / y.rtf for x, y in zip(a, b, strict=True))
