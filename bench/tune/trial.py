"""Runs one trial of `tune` in a worker process of its own."""

import threading
import time

from alrakis.bench.targets.process import TEXT, WARM_UP_S, Process, Target, TargetError
from alrakis.bench.tune.candidates import Candidate
from alrakis.bench.tune.search import NO_TIME, Outcome


def run_trial(
    candidate: Candidate,
    weights: str,
    seconds: float,
    texts: int,
    time_left_s: float,
    voice: str | None = None,
) -> Outcome:
    """Load a candidate, warm up, and generate audio for some texts at once; killed when the time is over.

    seconds: of audio, for each text. voice: a file.
    """
    target = Target(candidate.label, candidate.preset, weights, overrides=candidate.overrides)
    ends = time.monotonic() + max(0.1, time_left_s)
    with Process(target) as process:
        alarm = threading.Timer(ends - time.monotonic(), process.kill)
        alarm.start()
        try:
            process.ask(do="load")
            for length_s in (min(WARM_UP_S, seconds), seconds):
                reply = process.ask(do="run", texts=[TEXT] * texts, seconds=length_s, voice=voice)
        except TargetError as error:
            return Outcome(None, problem=NO_TIME if time.monotonic() >= ends else str(error))
        finally:
            alarm.cancel()
    return Outcome(reply["wall_s"] / reply["audio_s"], reply["peak_rss_bytes"])
