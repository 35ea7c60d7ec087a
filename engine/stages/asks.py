"""What a sequence asks of the networks.

A stage is a generator: it yields what it needs next and is sent what came of it, so its algorithm reads from
top to bottom while many sequences take turns. Whoever runs it decides when, and in what company.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from alrakis.sampling import Draw, Draws, IntArray, Sampling
from alrakis.spec import Part, Stage

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class Run:
    """Tokens of a causal model, one after the other; sent back as int64 `(N,)`.

    prefix: `(T,)` ids to begin with; None goes on from the token drawn last. added: ids whose embeddings are
    added onto those of the prefix. heads: taken in turn, from the first. step: where the noise of the first
    draw is. count: how many tokens are drawn, N at most. end: an id that ends the run, and is its last.
    seconds: of audio that a token stands for.
    """

    part: Stage
    seed: int
    sampling: Sampling
    prefix: IntArray | None
    heads: Sequence[int]
    step: int
    count: int
    seconds: float
    added: IntArray | None = None
    end: int | None = None

    def draw(self, done: int) -> Draw:
        """The draw after `done` others."""
        return Draw(self.seed, self.step + done, self.sampling, self.heads[done % len(self.heads)])

    def draws(self, done: int) -> Draws:
        """Those that are left after `done` of them."""
        turn = done % len(self.heads)
        heads = (*self.heads[turn:], *self.heads[:turn])
        return Draws(self.seed, self.step + done, self.sampling, heads, self.count - done)


@dataclass(frozen=True, eq=False)
class FineWindow:
    """A window of the fine stage; sent back as it was given, with codebooks `given`..7 written.

    codes: `(T, 8)`. start: the first frame that is written. step: where the noise of codebook 0 would be.
    seconds: of audio that a pass stands for.
    """

    seed: int
    sampling: Sampling
    codes: IntArray
    given: int
    start: int
    step: int
    seconds: float
    part: Part = "fine"


@dataclass(frozen=True, eq=False)
class Decode:
    """A codec decode of codes `(8, T)`; sent back as float32 `(320 * T,)`. seconds: of audio."""

    codes: IntArray
    seconds: float
    part: Part = "codec"


Ask = Run | FineWindow | Decode
Steps = Generator[Ask, Any, Made]  # a stage, which gives what it made
