"""The search of `tune`: successive halving within a time budget and a memory limit.

All candidates generate a short piece of audio, the better half one twice as long, and so on up to the whole
length. The finalists repeat that, and the lowest median wins: of seconds of work, or of memory.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from alrakis.bench.record.metrics import megabytes
from alrakis.bench.tune.candidates import Candidate

SHARES = (0.25, 0.5, 1.0, 1.0, 1.0)  # of the whole length, in each round
FINALISTS = 2
BATCHES = (2, 4, 8, 16)
BATCH_SAMPLES = 2  # of each: one alone says nothing on a machine that others use too
WORTHWHILE = 0.98  # a larger batch must take less than this share of the time

NO_TIME = "no time was left for it"


@dataclass(frozen=True)
class Outcome:
    """The result of a trial. rtf: seconds of work for a second of audio. problem: why it failed."""

    rtf: float | None
    peak_bytes: int | None = None
    problem: str = ""


Measure = Callable[[Candidate, float, int], Outcome]  # seconds of audio, number of texts


@dataclass
class Trials:
    """The trials of one candidate.

    share: the longest, as a share of the whole length. rtfs: of those. history: of all, with their shares.
    """

    candidate: Candidate
    share: float = 0.0
    rtfs: list[float] = field(default_factory=list)
    history: list[tuple[float, float]] = field(default_factory=list)
    peak_bytes: int | None = None
    problem: str = ""

    @property
    def rtf(self) -> float:
        return median(self.rtfs) if self.rtfs else math.inf

    @property
    def fits(self) -> bool:
        return bool(self.rtfs) and not self.problem


class Search:
    """A search and its results so far, which can also be used after an interruption.

    measure: runs a trial. seconds: of audio, the whole length. memory_limit: bytes of resident memory.
    time_left: gives the seconds until the budget is spent. texts: how many are said at once. by_memory: the
    best takes the least memory, not the least time.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        measure: Measure,
        seconds: float,
        memory_limit: int | None,
        time_left: Callable[[], float],
        texts: int = 1,
        by_memory: bool = False,
    ) -> None:
        self.trials = [Trials(candidate) for candidate in candidates]
        self.batches: dict[int, Outcome] = {}
        self._measure = measure
        self._seconds = seconds
        self._limit = memory_limit
        self._time_left = time_left
        self._texts, self._by_memory = texts, by_memory

    @property
    def best(self) -> Trials | None:
        """The best of the candidates with the longest and most trials."""
        fitting = [trials for trials in self.trials if trials.fits]
        return min(fitting, key=lambda one: (-one.share, -len(one.rtfs), self.cost(one)), default=None)

    def cost(self, trials: Trials) -> float:
        """What the search makes least of: bytes, or seconds of work for a second of audio."""
        return (trials.peak_bytes or math.inf) if self._by_memory else trials.rtf

    @property
    def max_batch(self) -> int | None:
        """The largest batch that was faster than the one before; None if none was, or none was tried.

        Then the config's own stays: that more texts at once are no faster does not make them slower.
        """
        return max((size for size, outcome in self.batches.items() if not outcome.problem), default=None)

    def run(self) -> None:
        """Search until all rounds are done or the budget is spent. The first round may take half of it."""
        remaining = self.trials
        first_round_ends = self._time_left() / 2
        for number, share in enumerate(SHARES):
            if share < 1 and len(remaining) <= FINALISTS:
                continue  # nothing to eliminate
            reserve = first_round_ends if number == 0 else 0.0
            tried = [trials for trials in _in_turn(remaining) if self._try(trials, share, reserve)]
            keep = max(FINALISTS, math.ceil(len(tried) / 2))
            remaining = sorted(tried, key=self.cost)[:keep]
        if not self._by_memory:
            self._find_batch()

    def _try(self, trials: Trials, share: float, reserve: float) -> bool:
        """Run a trial; False if it failed. reserve: it only starts if more seconds than these are left."""
        if self._time_left() <= reserve:
            if not trials.rtfs:
                trials.problem = NO_TIME
            return False
        outcome = self._limited(self._measure(trials.candidate, share * self._seconds, self._texts))
        trials.peak_bytes = outcome.peak_bytes or trials.peak_bytes
        if outcome.rtf is None or outcome.problem:
            if outcome.problem != NO_TIME or not trials.rtfs:
                trials.problem = outcome.problem
            return False
        if share > trials.share:
            trials.share, trials.rtfs = share, []
        trials.rtfs.append(outcome.rtf)
        trials.history.append((share, outcome.rtf))
        return True

    def _limited(self, outcome: Outcome) -> Outcome:
        """The outcome, as a failure if it took more memory than allowed."""
        if self._limit is not None and outcome.peak_bytes is not None and outcome.peak_bytes > self._limit:
            return Outcome(outcome.rtf, outcome.peak_bytes, f"needs {megabytes(outcome.peak_bytes)}")
        return outcome

    def _find_batch(self) -> None:
        """Double the batch of the best candidate as long as that makes it faster."""
        best = self.best
        if best is None:
            return
        before = best.rtf
        for size in (size for size in BATCHES if size > self._texts):
            outcome = self._batch(best, size)
            if outcome is None:
                return
            if outcome.rtf is not None and not outcome.problem and outcome.rtf > WORTHWHILE * before:
                outcome = Outcome(outcome.rtf, outcome.peak_bytes, "no gain")
            self.batches[size] = outcome
            if outcome.problem or outcome.rtf is None:
                return
            before = outcome.rtf

    def _batch(self, best: Trials, size: int) -> Outcome | None:
        """The median of some trials of a batch; None if the time is over before there are as many."""
        candidate, rtfs, peak = best.candidate.changed(max_batch=size), [], 0
        for _ in range(BATCH_SAMPLES):
            if self._time_left() <= 0:
                return None
            outcome = self._limited(self._measure(candidate, best.share * self._seconds, size))
            if outcome.rtf is None or outcome.problem:
                return outcome
            rtfs.append(outcome.rtf)
            peak = max(peak, outcome.peak_bytes or 0)
        return Outcome(median(rtfs), peak or None)


def _in_turn(trials: Sequence[Trials]) -> list[Trials]:
    """In their order, but that who needs the same as an earlier one follows it: nothing is loaded for it."""
    needs = [one.candidate.needs for one in trials]
    return [
        trials[place] for place in sorted(range(len(trials)), key=lambda place: needs.index(needs[place]))
    ]
