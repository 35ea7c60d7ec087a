"""Noise for draws to come, brought to the backend several steps at a time."""

from collections.abc import Sequence
from typing import Any

from alrakis.backends.protocols import CausalGPT
from alrakis.sampling import IntArray, Noise, Sampling, Upcoming


class NoiseAhead:
    """Noise of one stage by step; uploads `ahead` steps at once so that a device need not wait for each.

    At any time, of the steps that follow as many are there for a backend to look at.
    """

    def __init__(
        self, gpt: CausalGPT, noise: Noise, candidates: int, sampling: Sampling, ahead: int = 16
    ) -> None:
        self._gpt = gpt
        self._noise = noise
        self._candidates = candidates
        self._sampling = sampling
        self.ahead = ahead
        self._blocks: dict[int, Any] = {}  # this block of steps and the next

    def at(self, step: int) -> Any:
        """Noise `(B, C)` of a step as `CausalGPT.draw` takes it; None when sampling is greedy."""
        if self._sampling.greedy:
            return None
        block, place = divmod(step, self.ahead)
        if block not in self._blocks:
            self._blocks = {block - 1: self._blocks[block - 1]} if block - 1 in self._blocks else {}
            noise = self._noise.steps(block * self.ahead, self.ahead, self._candidates)
            self._blocks[block] = self._gpt.upload(noise)
        return self._blocks[block][place]

    def upcoming(self, step: int, heads: Sequence[int]) -> Upcoming:
        """The draws from a step on; heads: of each of them, `ahead` at most."""
        return Upcoming(self._sampling, heads, lambda i: self.at(step + i))

    def keep(self, rows: IntArray) -> None:
        """Go on with these rows only."""
        self._noise = self._noise.keep(rows.tolist())
        self._blocks = {}
