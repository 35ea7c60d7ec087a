"""Runs the trials of `tune` in worker processes, one at a time.

A worker stays until another config needs other parameters, threads or caches: then it is ended, and the next
one loads. What is recorded or compiled when a config is loaded is not part of what is timed.
"""

import time
from types import TracebackType

from alrakis.bench.targets.process import TEXT, WARM_UP_S, Process, Target, TargetError
from alrakis.bench.tune.candidates import Candidate
from alrakis.bench.tune.search import NO_TIME, Outcome


class Workshop:
    """Runs trials over one set of weights. voice: a file. Leaving it ends its worker."""

    def __init__(self, weights: str, voice: str | None = None) -> None:
        self._weights, self._voice = weights, voice
        self._process: Process | None = None
        self._loaded: Candidate | None = None
        self._on_gpu = False

    def __enter__(self) -> "Workshop":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(at_once=error is not None)

    def prepare(self, candidate: Candidate) -> None:
        """Load a candidate before the time counts. What is wrong with it is told by its trial."""
        try:
            self._load(self._worker(candidate), candidate)
        except TargetError:
            self._end(at_once=True)

    def run(self, candidate: Candidate, seconds: float, texts: int, time_left_s: float) -> Outcome:
        """Load a candidate unless it is loaded, warm up, and generate audio for some texts at once.

        seconds: of audio, for each text. The worker is killed when the time is over.
        """
        ends = time.monotonic() + max(0.1, time_left_s)
        process = self._worker(candidate)
        try:
            process.limit_s = ends - time.monotonic()
            self._load(process, candidate)
            # a GPU's libraries prepare for each shape that they meet
            warm_up_s = seconds if self._on_gpu else min(WARM_UP_S, seconds)
            for length_s in (warm_up_s, seconds):
                process.limit_s = ends - time.monotonic()
                reply = process.ask(do="run", texts=[TEXT] * texts, seconds=length_s, voice=self._voice)
        except TargetError as error:
            self._end(at_once=True)
            return Outcome(None, problem=NO_TIME if time.monotonic() >= ends else str(error))
        except BaseException:
            self._end(at_once=True)
            raise
        peak_bytes = reply["peak_gpu_bytes"] if self._on_gpu else reply["peak_rss_bytes"]
        return Outcome(reply["wall_s"] / reply["audio_s"], peak_bytes)

    def _worker(self, candidate: Candidate) -> Process:
        """The process for a candidate: the last one's, if that has loaded what it needs."""
        if self._loaded is None or self._loaded.needs != candidate.needs:
            self._end()
        if self._process is None:
            self._process = Process(
                Target(candidate.label, candidate.preset, self._weights, overrides=candidate.overrides)
            )
        return self._process

    def _load(self, process: Process, candidate: Candidate) -> None:
        if self._loaded is None:
            self._on_gpu = process.ask(do="load")["gpu_bandwidth"] is not None
        elif self._loaded != candidate:
            process.ask(do="go_on", config=candidate.preset, overrides=candidate.overrides)
        self._loaded = candidate

    def _end(self, *, at_once: bool = False) -> None:
        process, self._process, self._loaded = self._process, None, None
        if process is not None:
            process.close(at_once=at_once)
