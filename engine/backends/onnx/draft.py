"""Speculative decoding in fp32: an int8 graph guesses tokens, and one run of the fp32 graph checks them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.onnx.session import open_session
from alrakis.sampling import FloatArray, IntArray, Upcoming
from alrakis.spec import CONTEXT, GPTShape


class DraftedCausalGPT(OnnxCausalGPT):
    """An `OnnxCausalGPT` in fp32 that works ahead if it runs a single row.

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
        heads: Sequence[range],
        threads: int,
        providers: list[Any],
        drafts: int,
    ) -> None:
        """drafts: how many tokens are guessed at once."""
        super().__init__(folder, shape, heads, threads, providers)
        self._draft = open_session(folder / "draft.onnx", threads, providers)
        self._parameter_bytes[self._draft] = self._read_by_a_run(folder / "draft.bin")
        self._drafts = drafts
        self._checked: list[tuple[int, FloatArray]] = []  # guessed tokens, fp32 logits after each
        self._checks: dict[int, ort.IOBinding] = {}  # by the number of tokens checked at once

    def step(self, tokens: IntArray, *, head: int = 0, upcoming: Upcoming | None = None) -> FloatArray:
        """As in the protocol. The next step that runs a graph overwrites the logits."""
        if self._checked and self._checked[0][0] == tokens[0]:
            self._total += 1
            return self._checked.pop(0)[1]
        self._checked.clear()
        count = 0
        if upcoming is not None and self._rows == 1:
            count = min(self._drafts, len(upcoming.heads) - 1, CONTEXT - self.position - 1)
        if upcoming is None or count < 1:
            return super().step(tokens, head=head)
        self._check(self._guess(tokens, count, upcoming), upcoming.heads)
        return self._checked.pop(0)[1]

    def release(self) -> None:
        self._checks.clear()
        super().release()

    def _guess(self, tokens: IntArray, count: int, upcoming: Upcoming) -> IntArray:
        """A token and `count` guesses of the next ones, `(1 + count,)`; the position stays the same."""
        position, guessed = self.position, [tokens]
        for place, head in enumerate(upcoming.heads[:count]):
            logits = self._run_step(self._draft, guessed[-1], head)
            guessed.append(self.draw(logits, upcoming.noise(place), upcoming.sampling, head=head))
        self._total[...] = position
        return np.concatenate(guessed)

    def _check(self, tokens: IntArray, heads: Sequence[int]) -> None:
        """Run tokens `(T,)` in fp32 and keep the logits after each; the position is then after the first."""
        count, position = len(tokens), self.position
        np.take(self._tokens, tokens, axis=0, out=self._many_x[0, :count])
        self._many_x[0, :count] += self._positions[position : position + count]
        self._total[...] = position + count
        self._past[:] = self.position - 1
        self._first[...] = -count
        if count not in self._checks:
            outputs = {output: memory[:, :count] for output, memory in enumerate(self._many_logits)}
            self._checks[count] = self._bind(self._step, self._many_x[:, :count], slice(0, 1), outputs)
        self._step.run_with_iobinding(self._checks[count], self._options)
        self.read_bytes += self._parameter_bytes[self._step] + position * self.position_bytes
        self._first[...] = -1
        self._total[...] = position + 1
        for place, (token, head) in enumerate(zip(tokens.tolist(), heads, strict=False)):
            logits = self._many_logits[self._output(head)][:, place, : len(self._heads[head])]
            self._checked.append((token, logits))

    def _use(self, rows: int) -> None:
        super()._use(rows)
        self._checked.clear()
        self._checks.clear()
        most = self._drafts + 1
        self._many_x = np.empty((1, most, self._shape.n_embd), np.float32)
        self._many_logits = [np.empty((1, most, len(ids)), np.float32) for ids in self._outputs]
