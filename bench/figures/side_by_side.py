"""Targets measured in turn for a figure of the README: A B C A B C, one at work while the others sleep."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from alrakis.bench.targets.process import Process, Target, TargetError
from alrakis.bench.targets.program import PARTS
from alrakis.errors import BackendError

WARM_UP_S = 1.0  # of audio, at most


@dataclass(frozen=True)
class Call:
    """One measured call. stages_s: by part. peak_rss_bytes: since the process began."""

    rtf: float
    stages_s: dict[str, float]
    peak_rss_bytes: int
    torch: bool


@contextmanager
def running(targets: Sequence[Target]) -> Iterator[list[Process]]:
    """Workers for the targets, loaded one after the other."""
    with ExitStack() as stack:
        processes = []
        for target in targets:
            process = stack.enter_context(Process(target))
            reply = ask(process, do="load")
            print(f"  {target.name}: loaded in {reply['load_s']:.1f} s", file=sys.stderr)
            processes.append(process)
        yield processes


def interleaved(
    processes: Sequence[Process], repeats: int, text: str, seconds: float, voice: str | None
) -> list[list[Call]]:
    """Every target's calls: a warm-up (not counted), then `repeats` rounds through all targets."""
    for process in processes:
        say(process, text, min(seconds, WARM_UP_S), voice)
    calls: list[list[Call]] = [[] for _ in processes]
    for _ in range(repeats):
        for process, own in zip(processes, calls, strict=True):
            own.append(say(process, text, seconds, voice))
            print(f"  {process.target.name}: RTF {own[-1].rtf:.2f}", file=sys.stderr)
    return calls


def say(process: Process, text: str, seconds: float, voice: str | None) -> Call:
    """One call of a worker that is loaded. Raises BackendError."""
    reply = ask(process, do="run", texts=[text], seconds=seconds, voice=voice, fresh=True)
    stages_s = dict.fromkeys(PARTS, 0.0)
    for stage, work in reply["stages"].items():
        part = stage.partition("_")[0].replace("semantic", "text")
        stages_s[part] += work["seconds"]
    return Call(reply["wall_s"] / reply["audio_s"], stages_s, reply["peak_rss_bytes"], reply["torch"])


def ask(process: Process, **command: Any) -> dict[str, Any]:
    """A worker's reply. Raises BackendError: without one of its targets there is no figure."""
    try:
        return process.ask(**command)
    except TargetError as error:
        raise BackendError(f"{process.target.name}: {error}") from None


def median_ratio(a: Sequence[Call], b: Sequence[Call]) -> float:
    """The median over rounds of a's RTF over b's, measured in the same round."""
    return median(x.rtf / y.rtf for x, y in zip(a, b, strict=True))
