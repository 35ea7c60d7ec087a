"""The time of decode steps of the coarse model by batch, and the share of memory bandwidth they reach."""

import statistics
import time
from dataclasses import dataclass

import numpy as np

from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.bench.measure.rates import read_bandwidth
from alrakis.engine import Engine
from alrakis.errors import InputError

POSITION = 500
STEPS = 20  # timed together
ROUNDS = 15


@dataclass(frozen=True)
class DecodeFigures:
    """Medians over rounds that alternate between the batches.

    step_s: seconds of a step, by batch. step_bytes: what a step with batch 1 must read. bandwidth: bytes a
    second that all threads read.
    """

    step_s: dict[int, float]
    step_bytes: int
    bandwidth: float

    @property
    def share(self) -> float:
        """The share of the bandwidth that a step with batch 1 reaches."""
        return self.step_bytes / self.step_s[1] / self.bandwidth

    def gain(self, batch: int) -> float:
        """How many times as many tokens a second a batch makes, compared with batch 1."""
        return batch * self.step_s[1] / self.step_s[batch]


def measure_decode(
    weights: str, config: str, threads: int, batches: tuple[int, ...] = (1, 4)
) -> DecodeFigures:
    """Time decode steps around position 500."""
    with Engine(weights, config, threads=threads) as engine:
        gpt = engine.backend.coarse()
        if not isinstance(gpt, OnnxCausalGPT):
            raise InputError(f"decode figures are of the onnx backend; config {config!r} has another")
        first_id = engine.layout.coarse_heads[0].start
        samples: dict[int, list[float]] = {batch: [] for batch in batches}
        read_bytes: dict[int, int] = {}
        rates = []
        for _ in range(ROUNDS):
            rates.append(read_bandwidth(threads, repeats=1))
            for batch in batches:
                slots = range(batch)
                gpt.admit(slots, np.full((batch, POSITION - STEPS), first_id, np.int64))
                gpt.feed(slots, np.full(batch, first_id, np.int64))
                gpt.step(slots)
                began = time.perf_counter()
                for _ in range(STEPS):
                    gpt.step(slots)
                samples[batch].append((time.perf_counter() - began) / STEPS)
                read_bytes[batch] = gpt.step_bytes(slots)
    medians = {batch: statistics.median(times) for batch, times in samples.items()}
    return DecodeFigures(medians, read_bytes[1], statistics.median(rates))
