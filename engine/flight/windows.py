"""Fine windows of sequences in flight: a step is one codebook of one window, or of several alike."""

from typing import Any

import numpy as np

from alrakis.backends.protocols import FineGPT
from alrakis.flight.sequence import Sequence
from alrakis.sampling import Draw
from alrakis.spec import N_FINE_CODEBOOKS
from alrakis.stages.asks import FineWindow


class Windows:
    """The windows under way."""

    def __init__(self) -> None:
        self._under_way: list[_Window] = []

    def step(self, gpt: FineGPT, moving: list[Sequence[Any]], rows: int) -> list[Sequence[Any]]:
        """A pass for the first of these, and for those that share its window; returns who they are.

        A window that begins takes in up to `rows` of these whose windows are of one size.
        """
        window = next((w for w in self._under_way if moving[0] in w.sequences), None)
        if window is None:
            busy = {sequence for other in self._under_way for sequence in other.sequences}
            size = _size(moving[0])
            alike = [s for s in moving if s not in busy and _size(s) == size]
            window = _Window(gpt, alike[:rows])
            self._under_way.append(window)
        window.step(gpt)
        return window.sequences

    def finished(self, gpt: FineGPT, sequence: Sequence[Any]) -> bool:
        """Whether a sequence's window is done; if so it is given what came of it. GenerationError."""
        window = next(w for w in self._under_way if sequence in w.sequences)
        if window.codebook < N_FINE_CODEBOOKS:
            return False
        codes = gpt.codes(window.held)[window.asked.index(sequence)]
        self.leave(sequence)
        sequence.answer(codes)
        return True

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
        self.codebook = self._asks[0].given
        self.held = gpt.begin(np.stack([ask.codes for ask in self._asks]), self.codebook)

    def step(self, gpt: FineGPT) -> None:
        start = np.array([ask.start for ask in self._asks])
        draws = [Draw(ask.seed, ask.step + self.codebook, ask.sampling) for ask in self._asks]
        gpt.predict(self.held, self.codebook, start, draws)
        self.codebook += 1


def _size(sequence: Sequence[Any]) -> tuple[int, int]:
    ask = _ask(sequence)
    return len(ask.codes), ask.given


def _ask(sequence: Sequence[Any]) -> FineWindow:
    if not isinstance(sequence.ask, FineWindow):
        raise TypeError(f"{sequence.ask!r} is no window of the fine model")
    return sequence.ask
