"""One trial of `tune`: a candidate in a worker process of its own, which ends with the trial."""

import threading
import time

from alrakis.bench.session.plan import TEXT
from alrakis.bench.targets.process import Process, Target, TargetError
from alrakis.bench.tune.candidates import Candidate
from alrakis.bench.tune.search import NO_TIME, Outcome

_WARM_UP_S = 0.3


def run_trial(candidate: Candidate, weights: str, seconds: float, texts: int, time_left_s: float) -> Outcome:
    """Load, warm up, and say `texts` texts of `seconds` at once; ended when the time is over."""
    target = Target(candidate.label, candidate.preset, weights, overrides=candidate.overrides)
    ends = time.monotonic() + max(0.1, time_left_s)
    with Process(target) as process:
        alarm = threading.Timer(ends - time.monotonic(), process.kill)
        alarm.start()
        try:
            process.ask(do="load")
            for length_s in (_WARM_UP_S, seconds):
                reply = process.ask(do="run", texts=[TEXT] * texts, seconds=length_s, voice=None)
        except TargetError as error:
            return Outcome(None, problem=NO_TIME if time.monotonic() >= ends else str(error))
        finally:
            alarm.cancel()
    return Outcome(reply["wall_s"] / reply["audio_s"], reply["peak_rss_bytes"])
