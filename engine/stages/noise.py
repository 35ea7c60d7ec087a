"""Noise for draws to come, brought to the backend several steps at a time."""

from typing import Any

from alrakis.backends.protocols import CausalGPT
from alrakis.sampling import IntArray, Noise, Sampling


class NoiseAhead:
    """Noise of one stage by step; uploads `ahead` steps at once so that a device need not wait for each."""

    def __init__(
        self, gpt: CausalGPT, noise: Noise, candidates: int, sampling: Sampling, ahead: int = 16
    ) -> None:
        self._gpt = gpt
        self._noise = noise
        self._candidates = candidates
        self._greedy = sampling.greedy
        self._ahead = ahead
        self._first = 0
        self._uploaded: Any = None

    def at(self, step: int) -> Any:
        """Noise `(B, C)` of a step as `CausalGPT.draw` takes it; None when sampling is greedy."""
        if self._greedy:
            return None
        if self._uploaded is None or not self._first <= step < self._first + self._ahead:
            self._first = step
            self._uploaded = self._gpt.upload(self._noise.steps(step, self._ahead, self._candidates))
        return self._uploaded[step - self._first]

    def keep(self, rows: IntArray) -> None:
        """Go on with these rows only."""
        self._noise = self._noise.keep(rows.tolist())
        self._uploaded = None
