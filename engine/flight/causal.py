"""Sequences in the slots of a causal model."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from alrakis.backends.protocols import CausalGPT, strides
from alrakis.errors import GenerationError
from alrakis.flight.sequence import Sequence
from alrakis.sampling import Draw, IntArray
from alrakis.stages.asks import Run


class Slots:
    """Which sequence has which slot of a model, and their steps.

    The last slot is for a client who has none; an urgent sequence sits at the end, so that it can step
    without the others.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._of: dict[Sequence[Any], int] = {}

    def __len__(self) -> int:
        """How many are taken."""
        return len(self._of)

    def seat(self, waiting: Iterable[Sequence[Any]]) -> None:
        """Give free slots to who needs one: the urgent first, then the client who has the fewest."""
        free = sorted(set(range(self._count)) - set(self._of.values()))
        left = [sequence for sequence in waiting if sequence not in self._of] if free else []
        while free and left:
            held = Counter(other.caller.client for other in self._of)
            if len(free) == 1 and self._count > 1:
                left = [sequence for sequence in left if not held[sequence.caller.client]]
                if not left:
                    return
            sequence = min(left, key=lambda s: (not s.caller.urgent, held[s.caller.client], s.arrival))
            left.remove(sequence)
            apart = sequence.caller.urgent and not all(other.caller.urgent for other in self._of)
            self._of[sequence] = free.pop(-1 if apart else 0)

    def has(self, sequence: Sequence[Any]) -> bool:
        return sequence in self._of

    def leave(self, gpt: CausalGPT | None, sequence: Sequence[Any]) -> None:
        """Free a sequence's slot, if it has one."""
        slot = self._of.pop(sequence, None)
        if slot is not None and gpt is not None:
            gpt.leave(slot)

    def together(self, gpt: CausalGPT, moving: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """Those whose prefixes run next, one where company gains nothing; all of them if none begins."""
        moving = sorted(moving, key=self._of.__getitem__)
        beginning = [sequence for sequence in moving if sequence.begins]
        if not beginning or not gpt.batches_prefixes:
            return beginning[:1] or moving
        lengths = [len(_prefix(sequence)) for sequence in beginning]
        return [s for s, length in zip(beginning, lengths, strict=True) if length == lengths[0]]

    def step(self, gpt: CausalGPT, moving: list[Sequence[Any]]) -> list[int]:
        """A prefix of each of these, or a token, or as many as a device makes at once: how many of each."""
        slots = [self._of[sequence] for sequence in moving]
        begins = moving[0].begins
        if begins and strides(gpt):  # all sequences go on together after it
            gpt.enter(slots, *_prefixes(moving))
            counts = [0] * len(moving)
        elif strides(gpt):
            draws = [_run(sequence).draws(sequence.done) for sequence in moving]
            counts = [min(own.count, gpt.stride) for own in draws]
            _keep(moving, gpt.advance(slots, draws), counts)
        else:
            ahead = _ahead(moving[0], gpt.looks_ahead) if len(moving) == 1 and not begins else ()
            logits = gpt.admit(slots, *_prefixes(moving)) if begins else gpt.step(slots, ahead)
            counts = [1] * len(moving)
            next_draws = [_run(sequence).draw(sequence.done) for sequence in moving]
            _keep(moving, gpt.draw(logits, slots, next_draws), counts)
        if begins:
            for sequence in moving:
                sequence.entered = True
        return counts

    def finished(self, gpt: CausalGPT, sequence: Sequence[Any]) -> bool:
        """Whether a sequence's run is over; if so it is given its tokens. GenerationError.

        Tokens of a run that has no end of its own are not read before it is over: a device works on. Those
        of one that has are looked at a turn late where a device makes many at once, for the same reason; what
        was made past the end is thrown away, and was no other draw's noise.
        """
        run, whole = _run(sequence), sequence.done == _run(sequence).count
        known = sequence.drawn[:-1] if strides(gpt) and not whole else sequence.drawn
        ended = run.end is not None and bool(known) and run.end in known[-1].read(gpt)
        if not ended and not whole:
            return False
        ids = np.concatenate([tokens.read(gpt) for tokens in known])
        if run.end is not None and run.end in ids:
            ids = ids[: int(np.argmax(ids == run.end)) + 1]
        sequence.answer(ids)
        return True


class Tokens:
    """The tokens that a step drew, in the backend's own type; brought to the host once, when needed."""

    def __init__(self, drawn: Any) -> None:
        self._drawn = drawn
        self._ids: IntArray | None = None

    def read(self, gpt: CausalGPT, row: int) -> IntArray:
        """A row's tokens `(N,)`. Raises GenerationError if its own logits were not numbers."""
        if self._ids is None:
            try:
                ids = gpt.read(self._drawn)
            except GenerationError:  # it may be of another row
                return np.atleast_1d(gpt.read(self._drawn[row : row + 1])[0])
            self._ids = ids.reshape(len(ids), -1)
        own: IntArray = self._ids[row]
        return own


class Drawn(NamedTuple):  # one is made in every step of every sequence
    """A sequence's own of these: the first `size` of its row."""

    tokens: Tokens
    row: int
    size: int

    def read(self, gpt: CausalGPT) -> IntArray:
        """int64 `(count,)`. GenerationError."""
        return self.tokens.read(gpt, self.row)[: self.size]


def _keep(moving: list[Sequence[Any]], drawn: Any, counts: list[int]) -> None:
    """Each sequence's part of what a step drew."""
    tokens = Tokens(drawn)
    for row, (sequence, count) in enumerate(zip(moving, counts, strict=True)):
        sequence.drawn.append(Drawn(tokens, row, count))
        sequence.done += count


def _ahead(sequence: Sequence[Any], count: int) -> list[Draw]:
    """The next draws of a sequence, as many as there are up to `count`."""
    run, done = _run(sequence), sequence.done
    return [run.draw(i) for i in range(done, min(done + count, run.count))]


def _prefixes(moving: list[Sequence[Any]]) -> tuple[IntArray, IntArray | None]:
    """The prefixes of sequences that begin `(B, T)`, and what is added onto them."""
    added = [run.added for run in map(_run, moving) if run.added is not None]
    return np.stack([_prefix(sequence) for sequence in moving]), np.stack(added) if added else None


def _prefix(sequence: Sequence[Any]) -> IntArray:
    prefix = _run(sequence).prefix
    if prefix is None:
        raise TypeError("a run that goes on has no prefix")
    return prefix


def _run(sequence: Sequence[Any]) -> Run:
    if not isinstance(sequence.ask, Run):
        raise TypeError(f"{sequence.ask!r} is no run of a causal model")
    return sequence.ask
