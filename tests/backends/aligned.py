"""A causal model as a list of rows: row i of a prefix is slot i, and all that are left step together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from alrakis.backends.protocols import CausalGPT
from alrakis.sampling import Draw, IntArray, Sampling


class Aligned:
    """Rows in the first slots of a model. What it does not have is the model's own."""

    def __init__(self, gpt: CausalGPT) -> None:
        self.gpt: Any = gpt
        self._slots: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gpt, name)

    @property
    def position(self) -> int:
        """Positions that each row holds."""
        (position,) = {int(self.gpt._filled[slot]) for slot in self._slots}
        return position

    def prefill(self, tokens: IntArray, added: IntArray | None = None, *, head: int = 0) -> Any:
        """Run prefixes `(B, T)` in place of the rows before them; a head's logits `(B, C)`."""
        for slot in self._slots:
            self.gpt.leave(slot)
        self._slots = list(range(len(tokens)))
        return self.gpt.admit(self._slots, tokens, added)[head]

    def step(self, tokens: Any, *, head: int = 0, ahead: Sequence[Draw] = ()) -> Any:
        """Run tokens `(B,)`; a head's logits `(B, C)`."""
        self.gpt.feed(self._slots, np.asarray(tokens, np.int64))
        return self.gpt.step(self._slots, ahead)[head]

    def draw(
        self, logits: Any, sampling: Sampling, *, head: int = 0, step: int = 0, seeds: Sequence[int] = ()
    ) -> IntArray:
        """Draw from a head's logits `(B, C)`: ids `(B,)` on the host."""
        draws = [Draw(seed, step, sampling, head) for seed in seeds or range(len(self._slots))]
        by_head = [logits] * (head + 1)
        drawn: IntArray = self.gpt.read(self.gpt.draw(by_head, self._slots, draws))
        return drawn

    def keep(self, rows: Sequence[int]) -> None:
        """The other rows leave."""
        kept = [self._slots[row] for row in rows]
        for slot in set(self._slots) - set(kept):
            self.gpt.leave(slot)
        self._slots = kept

    def step_bytes(self) -> int:
        """What the next step must read."""
        read: int = self.gpt.step_bytes(self._slots)
        return read
