"""How much the counting of `alrakis-bench run` slows down a decode step."""

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from alrakis.backends.protocols import CausalGPT
from alrakis.bench.targets.counting import CountedGPT, GPTCount
from alrakis.engine import Engine

POSITION = 500
STEPS = 20  # timed together
ROUNDS = 21
CALLS = 20_000  # of a step that does nothing, timed together


@dataclass(frozen=True)
class Overhead:
    """step_s: seconds of a step without counting. own_s: what counting adds to a step that does nothing.

    ratio: the time of steps with counting over that of steps without. Unlike own_s, it contains the noise of
    the machine.
    """

    step_s: float
    own_s: float
    ratio: float

    @property
    def share(self) -> float:
        return self.own_s / self.step_s


def measure_overhead(weights: str, config: str, threads: int) -> Overhead:
    """Time steps of the coarse model with and without counting, alternating which comes first."""
    with Engine(weights, config, threads=threads) as engine:
        gpt = engine.backend.coarse()
        prefix = np.full((1, POSITION), engine.layout.coarse_heads[0].start, np.int64)
        plain, ratios = [], []
        for number in range(ROUNDS):
            pair: list[CausalGPT] = [gpt, CountedGPT(gpt, GPTCount())]
            order = (0, 1) if number % 2 else (1, 0)
            seconds = {index: _step_s(pair[index], prefix) for index in order}
            plain.append(seconds[0])
            ratios.append(seconds[1] / seconds[0])
    return Overhead(median(plain), counting_s(), median(ratios))


def counting_s() -> float:
    """Seconds that counting adds to a step that does nothing."""
    nothing = _Nothing()
    counted = CountedGPT(nothing, GPTCount())
    return max(0.0, median(_call_s(counted) - _call_s(nothing) for _ in range(5)))


class _Nothing:
    read_bytes = 0

    def step(self, slots: Any, ahead: Any = ()) -> Any:
        return slots


def _call_s(gpt: Any) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        gpt.step(None)
    return (time.perf_counter() - began) / CALLS


def _step_s(gpt: CausalGPT, prefix: np.ndarray) -> float:
    gpt.admit([0], prefix)
    gpt.feed([0], prefix[:, 0])
    gpt.step([0])
    began = time.perf_counter()
    for _ in range(STEPS):
        gpt.step([0])
    return (time.perf_counter() - began) / STEPS
