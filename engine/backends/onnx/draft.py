"""Speculative decoding in fp32: an int8 graph guesses tokens, and one run of the fp32 graph checks them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.onnx.session import open_session
from alrakis.sampling import Draw, FloatArray, IntArray
from alrakis.spec import CONTEXT, GPTShape, Stage


class DraftedCausalGPT(OnnxCausalGPT):
    """An `OnnxCausalGPT` in fp32 that works ahead if a single sequence steps.

    An int8 graph guesses the next tokens with the noise that they are going to be drawn with. One run of the
    fp32 graph over all of them, limited like a step by reading the parameters, gives the logits after each.
    The stage draws from these as usual; when it draws another token than the guessed one, the remaining
    logits are dropped. So every token is drawn from fp32 logits. (Method: Leviathan, Kalman, Matias 2023,
    arXiv:2211.17192. As the noise is given, nothing is resampled.)

    Guessing writes int8's keys and values into the cache; checking overwrites them with fp32's.
    """

    def __init__(
        self,
        folder: Path,
        shape: GPTShape,
        stage: Stage,
        heads: Sequence[range],
        threads: int,
        providers: list[Any],
        slots: int,
        drafts: int,
        *,
        same_in_company: bool = True,
    ) -> None:
        """drafts: how many tokens are guessed at once."""
        super().__init__(
            folder, shape, stage, heads, threads, providers, slots, same_in_company=same_in_company
        )
        self._draft = open_session(folder / "draft.onnx", threads, providers)
        self._parameter_bytes[self._draft] = self._read_by_a_run(folder / "draft.bin")
        self._drafts = drafts
        self.looks_ahead = drafts + 1
        self._checked: list[tuple[int, list[FloatArray]]] = []  # guessed tokens, fp32 logits after each
        self._slot = 0  # whose they are
        self._checks: dict[tuple[int, int], ort.IOBinding] = {}  # by slot and the number of tokens checked
        self._many_x = np.empty((1, drafts + 1, self._shape.n_embd), np.float32)
        self._many_logits = [np.empty((1, drafts + 1, len(ids)), np.float32) for ids in self._outputs]

    def step(self, slots: Sequence[int], ahead: Sequence[Draw] = ()) -> list[FloatArray]:
        """As in the protocol. The next step that runs a graph overwrites the logits."""
        slot = slots[0]
        if self._checked and list(slots) == [self._slot] and self._checked[0][0] == self._last[slot]:
            self._filled[slot] += 1
            return self._checked.pop(0)[1]
        self._checked.clear()
        count = min(self._drafts, len(ahead) - 1, CONTEXT - int(self._filled[slot]) - 1)
        if len(slots) > 1 or count < 1:
            return super().step(slots)
        self._slot = slot
        self._check(self._guess(slot, ahead[:count]))
        return self._checked.pop(0)[1]

    def admit(
        self, slots: Sequence[int], tokens: IntArray, added: IntArray | None = None
    ) -> list[FloatArray]:
        self._checked.clear()
        return super().admit(slots, tokens, added)

    def release(self) -> None:
        self._checked.clear()
        self._checks.clear()
        super().release()

    def _guess(self, slot: int, ahead: Sequence[Draw]) -> IntArray:
        """The slot's last token and guesses of the next ones, `(1 + count,)`; the slot stays as it is."""
        filled, last = int(self._filled[slot]), int(self._last[slot])
        guessed = [last]
        for draw in ahead:
            logits = self._run_step(self._draft, [slot])
            guessed.append(int(self.draw(logits, [slot], [draw])[0]))
        self._filled[slot], self._last[slot] = filled, last
        return np.array(guessed)

    def _check(self, tokens: IntArray) -> None:
        """Run tokens `(T,)` in fp32 and keep the logits after each; the slot is then after the first."""
        count, slot, filled = len(tokens), self._slot, int(self._filled[self._slot])
        np.take(self._tokens, tokens, axis=0, out=self._many_x[0, :count])
        self._many_x[0, :count] += self._positions[filled : filled + count]
        own = slice(slot, slot + 1)
        self._reach(own, filled + count)
        self._first[...] = -count
        if (slot, count) not in self._checks:
            logits = [memory[:, :count] for memory in self._many_logits]
            self._checks[slot, count] = self._bind(self._step, self._many_x[:, :count], own, logits)
        self._step.run_with_iobinding(self._checks[slot, count], self._options)
        self.read_bytes += self._parameter_bytes[self._step] + filled * self.position_bytes
        self._first[...] = -1
        self._filled[slot] = filled + 1
        for place, token in enumerate(tokens.tolist()):
            logits = [memory[:, place : place + 1] for memory in self._many_logits]
            self._checked.append((token, self._by_head(logits)))
