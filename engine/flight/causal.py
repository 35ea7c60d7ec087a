"""Sequences in the slots of a causal model."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from alrakis.backends.protocols import CausalGPT
from alrakis.flight.sequence import Sequence
from alrakis.sampling import Draw
from alrakis.stages.asks import Run


class Slots:
    """Which sequence has which slot of a model, and their steps.

    The last slot is for a caller who has none; an urgent sequence sits at the end, so that it can step
    without the others.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._of: dict[Sequence[Any], int] = {}

    def seat(self, waiting: Iterable[Sequence[Any]]) -> None:
        """Give free slots to who needs one: the urgent first, then the caller who has the fewest."""
        free = sorted(set(range(self._count)) - set(self._of.values()))
        left = [sequence for sequence in waiting if sequence not in self._of] if free else []
        while free and left:
            held = Counter(other.caller for other in self._of)
            if len(free) == 1 and self._count > 1:
                left = [sequence for sequence in left if not held[sequence.caller]]
                if not left:
                    return
            sequence = min(left, key=lambda s: (not s.caller.urgent, held[s.caller], s.arrival))
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

    def step(self, gpt: CausalGPT, moving: list[Sequence[Any]]) -> list[Sequence[Any]]:
        """One draw of each of these, or only of those that begin; returns who drew."""
        moving = sorted(moving, key=self._of.__getitem__)
        beginning = [sequence for sequence in moving if sequence.begins]
        if beginning:
            length = len(_run(beginning[0]).prefix)  # type: ignore[arg-type]  # it begins
            alike = [s for s in beginning if len(_run(s).prefix) == length]  # type: ignore[arg-type]
            moving = alike if gpt.batches_prefixes else beginning[:1]
            logits = self._admit(gpt, moving)
        else:
            ahead = _ahead(moving[0], gpt.looks_ahead) if len(moving) == 1 else ()
            logits = gpt.step([self._of[sequence] for sequence in moving], ahead)
        return self._draw(gpt, moving, logits)

    def _admit(self, gpt: CausalGPT, sequences: list[Sequence[Any]]) -> Any:
        runs = [_run(sequence) for sequence in sequences]
        prefixes = np.stack([run.prefix for run in runs if run.prefix is not None])
        added = [run.added for run in runs if run.added is not None]
        slots = [self._of[sequence] for sequence in sequences]
        return gpt.admit(slots, prefixes, np.stack(added) if added else None)

    def _draw(self, gpt: CausalGPT, sequences: list[Sequence[Any]], logits: Any) -> list[Sequence[Any]]:
        runs = [_run(sequence) for sequence in sequences]
        draws = [run.draw(len(sequence.drawn)) for run, sequence in zip(runs, sequences, strict=True)]
        tokens = gpt.draw(logits, [self._of[sequence] for sequence in sequences], draws)
        for row, sequence in enumerate(sequences):
            sequence.drawn.append((tokens, row))
        return sequences

    def finished(self, gpt: CausalGPT, sequence: Sequence[Any]) -> bool:
        """Whether a sequence's run is over; if so it is given its tokens. GenerationError.

        Tokens of a run that has no end of its own are not read before it is over: a device works on.
        """
        run = _run(sequence)
        ended = run.end is not None and _read(gpt, *sequence.drawn[-1]) == run.end
        if not ended and len(sequence.drawn) < run.count:
            return False
        sequence.answer(np.array([_read(gpt, *drawn) for drawn in sequence.drawn], np.int64))
        return True


def _ahead(sequence: Sequence[Any], count: int) -> list[Draw]:
    """The next draws of a sequence, as many as there are up to `count`."""
    run, done = _run(sequence), len(sequence.drawn)
    return [run.draw(i) for i in range(done, min(done + count, run.count))]


def _read(gpt: CausalGPT, tokens: Any, row: int) -> int:
    return int(gpt.read(tokens)[row])


def _run(sequence: Sequence[Any]) -> Run:
    if not isinstance(sequence.ask, Run):
        raise TypeError(f"{sequence.ask!r} is no run of a causal model")
    return sequence.ask
