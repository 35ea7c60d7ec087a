"""Decode steps of the coarse model: their time by rows, and the share of memory bandwidth they reach."""

import statistics
import time
from dataclasses import dataclass

import numpy as np

from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.bench.measure.rates import read_bandwidth
from alrakis.engine import Engine
from alrakis.errors import InputError

POSITION = 500
STEPS = 20  # in a sample
ROUNDS = 15


@dataclass(frozen=True)
class DecodeFigures:
    """step_s: median seconds of a step, by rows; the same rounds went through all of them in turn."""

    step_s: dict[int, float]
    step_bytes: int  # what a step with one row must read
    bandwidth: float  # bytes a second, measured in the same rounds

    @property
    def share(self) -> float:
        """Of the bandwidth, with one row."""
        return self.step_bytes / self.step_s[1] / self.bandwidth

    def gain(self, rows: int) -> float:
        """Tokens a second of `rows` rows over those of one."""
        return rows * self.step_s[1] / self.step_s[rows]


def measure_decode(weights: str, config: str, threads: int, rows: tuple[int, ...] = (1, 4)) -> DecodeFigures:
    """Time decode steps around position 500, alternating between the numbers of rows."""
    with Engine(weights, config, threads=threads) as engine:
        gpt = engine.backend.coarse()
        if not isinstance(gpt, OnnxCausalGPT):
            raise InputError(f"decode figures are of the onnx backend; config {config!r} has another")
        first_id = engine.layout.coarse_heads[0].start
        samples: dict[int, list[float]] = {count: [] for count in rows}
        read_bytes: dict[int, int] = {}
        rates = []
        for _ in range(ROUNDS):
            rates.append(read_bandwidth(threads, repeats=1))
            for count in rows:
                gpt.prefill(np.full((count, POSITION - STEPS), first_id, np.int64))
                tokens = np.full(count, first_id, np.int64)
                gpt.step(tokens)
                began = time.perf_counter()
                for _ in range(STEPS):
                    gpt.step(tokens)
                samples[count].append((time.perf_counter() - began) / STEPS)
                read_bytes[count] = gpt.step_bytes()
    medians = {count: statistics.median(times) for count, times in samples.items()}
    return DecodeFigures(medians, read_bytes[1], statistics.median(rates))
