"""Fine windows of sequences in flight: a step is one codebook of one window, or of several alike."""

from typing import Any

import numpy as np

from alrakis.backends.protocols import FineGPT
from alrakis.flight.sequence import Sequence
from alrakis.sampling import Draw, IntArray, checked_tokens
from alrakis.spec import N_FINE_CODEBOOKS
from alrakis.stages.asks import FineWindow


class Windows:
    """The windows under way."""

    def __init__(self) -> None:
        self._under_way: list[_Window] = []

    def together(self, moving: list[Sequence[Any]], rows: int) -> list[Sequence[Any]]:
        """The first of these, and those that share its window.

        A window that begins takes in up to `rows` of these whose windows are of one size.
        """
        window = self._of(moving[0])
        if window is not None:
            return list(window.sequences)
        size = _size(moving[0])
        return [s for s in moving if self._of(s) is None and _size(s) == size][:rows]

    def step(self, gpt: FineGPT, moving: list[Sequence[Any]]) -> None:
        """A pass for those that share a window, or are to."""
        window = self._of(moving[0])
        if window is None:
            window = _Window(gpt, moving)
            self._under_way.append(window)
        window.step(gpt)

    def finished(self, gpt: FineGPT, sequence: Sequence[Any]) -> bool:
        """Whether a sequence's window is done; if so it is given what came of it. GenerationError."""
        window = self._of(sequence)
        if window is None or window.codebook < N_FINE_CODEBOOKS:
            return False
        codes = window.read(gpt)[window.asked.index(sequence)]
        self.leave(sequence)
        sequence.answer(checked_tokens(codes))
        return True

    def _of(self, sequence: Sequence[Any]) -> "_Window | None":
        return next((window for window in self._under_way if sequence in window.sequences), None)

    def leave(self, sequence: Sequence[Any]) -> None:
        """A sequence needs its window no more."""
        for window in self._under_way:
            window.sequences = [other for other in window.sequences if other is not sequence]
        self._under_way = [window for window in self._under_way if window.sequences]


class _Window:
    """One window of the model, of sequences whose own windows are of one size."""

    def __init__(self, gpt: FineGPT, sequences: list[Sequence[Any]]) -> None:
        self.asked = sequences
        self.sequences = sequences
        self._asks = [_ask(sequence) for sequence in sequences]
        self._codes: IntArray | None = None
        self.codebook = self._asks[0].given
        self.held = gpt.begin(np.stack([ask.codes for ask in self._asks]), self.codebook)

    def step(self, gpt: FineGPT) -> None:
        start = np.array([ask.start for ask in self._asks])
        draws = [Draw(ask.seed, ask.step + self.codebook, ask.sampling) for ask in self._asks]
        gpt.predict(self.held, self.codebook, start, draws)
        self.codebook += 1

    def read(self, gpt: FineGPT) -> IntArray:
        """The codes of all rows, brought to the host once."""
        if self._codes is None:
            self._codes = gpt.codes(self.held)
        return self._codes


def _size(sequence: Sequence[Any]) -> tuple[int, int]:
    ask = _ask(sequence)
    return len(ask.codes), ask.given


def _ask(sequence: Sequence[Any]) -> FineWindow:
    if not isinstance(sequence.ask, FineWindow):
        raise TypeError(f"{sequence.ask!r} is no window of the fine model")
    return sequence.ask
