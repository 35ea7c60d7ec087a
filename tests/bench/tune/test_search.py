"""The search of `tune`, in a world of known speeds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.bench.tune.candidates import Candidate
from alrakis.bench.tune.search import NO_TIME, Outcome, Search

SECONDS = 4.0


class World:
    """Candidates of known speed and memory, and a clock that only trials move."""

    def __init__(self, budget_s: float, rtfs: list[float], peaks: list[int], gain: float = 1.0) -> None:
        self.candidates = [Candidate("cpu-fp32", (("threads", n + 1),)) for n in range(len(rtfs))]
        self.left_s = budget_s
        self.gain = gain  # in which share of the time each doubling of the batch does its work
        self.began_late = False
        self._rtfs, self._peaks = rtfs, peaks

    def time_left(self) -> float:
        return self.left_s

    def number(self, candidate: Candidate) -> int:
        return candidate.overrides["threads"] - 1

    def measure(self, candidate: Candidate, seconds: float, texts: int) -> Outcome:
        self.began_late |= self.left_s <= 0
        number = self.number(candidate)
        if math.isinf(self._rtfs[number]):
            return Outcome(None, problem="it crashed")
        rtf = self._rtfs[number] * self.gain ** math.log2(texts)
        took = rtf * seconds * texts
        if took > self.left_s:
            self.left_s = 0.0
            return Outcome(None, problem=NO_TIME)
        self.left_s -= took
        return Outcome(rtf, self._peaks[number])


def search_in(world: World, limit: int | None = None) -> Search:
    search = Search(world.candidates, world.measure, SECONDS, limit, world.time_left)
    search.run()
    return search


speeds = st.lists(st.floats(0.01, 20), min_size=1, max_size=20)


@given(speeds, st.integers(1, 10), st.randoms())
def test_with_time_enough_the_fastest_that_fits_is_found(
    rtfs: list[float], limit: int, random: st.DrawFn
) -> None:
    peaks = [random.randint(1, 10) for _ in rtfs]  # type: ignore[attr-defined]
    world = World(1e9, rtfs, peaks)
    best = search_in(world, limit).best
    fitting = [n for n in range(len(rtfs)) if peaks[n] <= limit]
    assert (best is None) == (not fitting)
    if best is not None:
        number = world.number(best.candidate)
        assert number in fitting
        assert rtfs[number] == min(rtfs[n] for n in fitting)
        assert (best.share, len(best.rtfs)) == (1.0, 3)


@given(speeds, st.floats(0, 500))
def test_the_budget_is_kept_and_what_is_found_was_measured(rtfs: list[float], budget_s: float) -> None:
    world = World(budget_s, rtfs, [1] * len(rtfs))
    search = search_in(world)
    assert not world.began_late
    for trials in search.trials:
        assert trials.rtfs or trials.problem == NO_TIME
    if search.best is None:
        assert all(trials.problem == NO_TIME for trials in search.trials)


def test_a_failure_is_a_row_and_the_search_goes_on() -> None:
    world = World(1e9, [math.inf, 2.0, math.inf, 1.0], [1] * 4)
    search = search_in(world)
    assert [trials.problem for trials in search.trials] == ["it crashed", "", "it crashed", ""]
    assert search.best
    assert search.best.rtf == 1.0


@pytest.mark.parametrize(("gain", "expected"), [(0.5, 16), (0.9, 16), (0.99, None), (1.0, None), (1.5, None)])
def test_the_batch_grows_as_long_as_it_helps(gain: float, expected: int | None) -> None:
    """Where it does not help, the config's own stays: others may still be in company."""
    assert search_in(World(1e9, [1.0], [1], gain)).max_batch == expected


def test_a_batch_is_never_judged_by_one_sample() -> None:
    world = World(1e9, [1.0], [1], 0.5)
    calls: list[int] = []

    def measure(candidate: Candidate, seconds: float, texts: int) -> Outcome:
        calls.append(texts)
        return world.measure(candidate, seconds, texts)

    search = Search(world.candidates, measure, SECONDS, None, world.time_left)
    search.run()
    assert [calls.count(size) for size in (2, 4, 8, 16)] == [2, 2, 2, 2]
    late = World(SECONDS * 3.5, [1.0], [1], 0.5)  # time for one of two
    assert search_in(late).max_batch is None


def test_the_least_memory_can_be_asked_for() -> None:
    world = World(1e9, [1.0, 2.0, 3.0], [3, 1, 2])
    search = Search(world.candidates, world.measure, SECONDS, None, world.time_left, by_memory=True)
    search.run()
    assert search.best
    assert world.number(search.best.candidate) == 1
    assert search.batches == {}


def test_several_texts_at_once_can_be_asked_for() -> None:
    asked: set[int] = set()

    def measure(candidate: Candidate, seconds: float, texts: int) -> Outcome:
        asked.add(texts)
        return Outcome(1.0 / texts, 10**9)

    search = Search([Candidate("cpu-fp32")], measure, SECONDS, None, lambda: 1e9, texts=4)
    search.run()
    assert asked == {4, 8, 16}
    assert search.max_batch == 16


def test_without_time_for_it_the_batch_stays_the_configs() -> None:
    world = World(SECONDS * 3, [1.0], [1])  # all rounds, and nothing more
    search = search_in(world)
    assert search.best
    assert search.max_batch is None


def test_who_needs_what_is_loaded_is_tried_next() -> None:
    """Windows differ; the round of a candidate is not changed by it."""
    fitted = {"fine_window": "fitted", "trades": "frames behind the last"}
    plain = [Candidate("cpu-fp32").changed(threads=count) for count in (1, 2)]
    candidates = [*plain, *(candidate.changed(**fitted) for candidate in plain)]
    tried: list[Candidate] = []

    def measure(candidate: Candidate, seconds: float, texts: int) -> Outcome:
        tried.append(candidate)
        return Outcome(1.0, 1)

    Search(candidates, measure, SECONDS, None, lambda: 100.0).run()
    assert tried[:4] == [candidates[0], candidates[2], candidates[1], candidates[3]]
