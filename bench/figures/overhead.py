"""What the harness costs a decode step: the counting that stays on while `alrakis-bench run` measures."""

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from alrakis.backends.protocols import CausalGPT
from alrakis.bench.targets.counting import CountedGPT, GPTCount
from alrakis.engine import Engine

POSITION = 500
STEPS = 20  # in a sample
ROUNDS = 21
CALLS = 20_000  # of a step that does nothing


@dataclass(frozen=True)
class Overhead:
    """step_s: a step without counting. own_s: what counting adds to a step that does nothing.

    ratio: steps with counting over those without, the median over rounds. It has the machine's own noise.
    """

    step_s: float
    own_s: float
    ratio: float

    @property
    def share(self) -> float:
        return self.own_s / self.step_s


def measure_overhead(weights: str, config: str, threads: int) -> Overhead:
    """Time the coarse model's steps counted and plain, in turn; which is first changes every round."""
    with Engine(weights, config, threads=threads) as engine:
        gpt = engine.backend.coarse()
        prefix = np.full((1, POSITION), engine.layout.coarse_heads[0].start, np.int64)
        plain, ratios = [], []
        for number in range(ROUNDS):
            pair: list[CausalGPT] = [gpt, CountedGPT(gpt, GPTCount())]
            order = (0, 1) if number % 2 else (1, 0)
            took_s = {which: _steps_s(pair[which], prefix) for which in order}
            plain.append(took_s[0])
            ratios.append(took_s[1] / took_s[0])
    return Overhead(median(plain), counting_s(), median(ratios))


def counting_s() -> float:
    """Seconds that counting adds to a step: a step that does nothing, counted, less the same one plain."""
    nothing = _Nothing()
    counted = CountedGPT(nothing, GPTCount())
    samples = [_calls_s(counted) - _calls_s(nothing) for _ in range(5)]
    return max(0.0, median(samples))


class _Nothing:
    read_bytes = 0

    def step(self, tokens: Any, *, head: int = 0, upcoming: Any = None) -> Any:
        return tokens


def _calls_s(gpt: Any) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        gpt.step(None, head=0)
    return (time.perf_counter() - began) / CALLS


def _steps_s(gpt: CausalGPT, prefix: np.ndarray) -> float:
    gpt.prefill(prefix)
    tokens = prefix[:, 0]
    gpt.step(tokens)
    began = time.perf_counter()
    for _ in range(STEPS):
        gpt.step(tokens)
    return (time.perf_counter() - began) / STEPS
