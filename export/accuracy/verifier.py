"""Measuring what quantization costs: fp32 and the exported graphs over the same tokens.

The exported model says a few sentences, for a second or two each, and the logits of each draw are kept. A
pass in fp32 over the same tokens then gives the logits of fp32. The tokens of a stage are the input of the
next; if the stage before was not measured, the input is random tokens.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from alrakis.errors import AlrakisError
from alrakis.export.accuracy.layers import LayerErrors
from alrakis.export.accuracy.reference import ReferenceGPT
from alrakis.export.accuracy.report import Report, divergence
from alrakis.export.accuracy.runner import CausalGraph, open_graph
from alrakis.export.contract import fine_frames, graph_heads
from alrakis.progress import export_bar
from alrakis.sampling import FloatArray, IntArray, Noise, Sampling, draw
from alrakis.spec import (
    COARSE_SEMANTIC_TOKENS,
    N_COARSE_CODEBOOKS,
    N_FINE_CODEBOOKS,
    TEXT_TOKENS,
    GPTShape,
    Stage,
)
from alrakis.text.encoder import encode_text
from alrakis.weights.types import StageWeights, Weights

SENTENCES = (
    "The morning train was late, so we walked along the river and talked about the weather.",
    "Please remember to close the window, because it is going to rain all night.",
)
STEPS = 96  # draws for each sentence, in the text and in the coarse stage
FINE_FRAMES = 128  # of a window; those after the coarse codes are padding and not compared
SEED = 20  # of the draws, so that a report can be reproduced

SPOKEN, RANDOM = "spoken by the model", "after random tokens"

Pair = tuple[FloatArray, FloatArray]  # logits (N, C): fp32's, and the exported model's


class Verifier:
    """Measures the stages of a set of weights, and keeps the tokens of each for the next."""

    def __init__(self, weights: Weights, threads: int | None = None) -> None:
        self._weights = weights
        self._layout = weights.layout
        self._threads = threads
        self._semantic: list[IntArray] | None = None
        self._coarse: list[IntArray] | None = None  # codes (2, T)

    def measure(
        self, weights: StageWeights, precision: str, folder: Path, kept: Sequence[str] = ()
    ) -> Report:
        """Measure a stage in the folder that `build_stage` wrote; kept: the linears that stayed fp32."""
        with export_bar(
            f"measuring {weights.stage} ({precision})", _linears(weights.shape), "layers"
        ) as move:
            return self._measure(weights, precision, folder, kept, LayerErrors(folder, move))

    def _measure(
        self, weights: StageWeights, precision: str, folder: Path, kept: Sequence[str], layers: LayerErrors
    ) -> Report:
        pairs, tokens = self._pairs(ReferenceGPT(weights, layers), weights, folder)
        same, kl = zip(*(divergence(exact, found) for exact, found in pairs), strict=True)
        agreed, lost = np.concatenate(same), np.concatenate(kl)
        return Report(
            part=weights.stage,
            precision=precision,
            tokens=tokens,
            positions=len(agreed),
            top1=float(agreed.mean()),
            kl_mean=float(lost.mean()),
            kl_max=float(lost.max()),
            layers=layers.errors,
            kept=tuple(kept),
        )

    def _pairs(self, reference: ReferenceGPT, weights: StageWeights, folder: Path) -> tuple[list[Pair], str]:
        if weights.stage == "text":
            return self._text(reference, CausalGraph(folder, weights.shape, self._threads))
        if weights.stage == "coarse":
            return self._coarse_codes(reference, CausalGraph(folder, weights.shape, self._threads))
        return self._fine(reference, weights.shape, open_graph(folder / "fine.onnx", self._threads))

    def _text(self, reference: ReferenceGPT, model: CausalGraph) -> tuple[list[Pair], str]:
        layout = self._layout
        texts, known = self._encoded()
        added = np.full(TEXT_TOKENS, layout.semantic_pad)
        heads, candidates = layout.text_heads[:1], layout.semantic_vocab
        prefixes = [reference.embed(np.append(text, layout.semantic_infer), added) for text in texts]
        said = [
            _speak(reference, model, prefix, heads, "text", number, candidates)
            for number, prefix in enumerate(prefixes)
        ]
        self._semantic = [spoken.tokens for spoken in said]
        return _compare(reference, said, heads), SPOKEN if known else RANDOM

    def _coarse_codes(self, reference: ReferenceGPT, model: CausalGraph) -> tuple[list[Pair], str]:
        layout, random = self._layout, np.random.default_rng(SEED)
        known = self._semantic is not None
        semantic = self._semantic or [random.integers(0, layout.semantic_vocab, STEPS) for _ in SENTENCES]
        heads, candidates, said = layout.coarse_heads, layout.codebook_size, []
        for number, tokens in enumerate(semantic):
            ids = np.full(COARSE_SEMANTIC_TOKENS + 1, layout.coarse_semantic_pad)
            ids[: len(tokens)], ids[-1] = tokens, layout.coarse_infer
            said.append(_speak(reference, model, reference.embed(ids), heads, "coarse", number, candidates))
        starts = np.array([[head.start] for head in heads])
        self._coarse = [spoken.tokens.reshape(-1, N_COARSE_CODEBOOKS).T - starts for spoken in said]
        return _compare(reference, said, heads), SPOKEN if known else RANDOM

    def _fine(
        self, reference: ReferenceGPT, shape: GPTShape, session: ort.InferenceSession
    ) -> tuple[list[Pair], str]:
        layout, random = self._layout, np.random.default_rng(SEED)
        known = self._coarse is not None
        size = (N_COARSE_CODEBOOKS, STEPS // N_COARSE_CODEBOOKS)
        coarse = self._coarse or [random.integers(0, layout.codebook_size, size) for _ in SENTENCES]
        inputs, found, codebooks = [], [], []
        for given in coarse:
            frames = given.shape[1]
            codes = np.full((FINE_FRAMES, N_FINE_CODEBOOKS), layout.fine_pad)
            codes[:frames, :N_COARSE_CODEBOOKS] = given.T
            for codebook in range(N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS):
                x = reference.embed_codes(codes, codebook)
                feed = {"x": x[None], "first": np.zeros(1, np.int64)}
                feed["frames"] = fine_frames(shape, codebook, len(x))
                outputs: list[Any] = session.run([f"logits_{codebook}"], feed)
                logits = outputs[0][0, :frames]
                codes[:frames, codebook] = logits.argmax(-1)
                inputs.append(x)
                found.append(logits)
                codebooks.append(codebook)
        exact = reference.fine_logits(np.stack(inputs), codebooks, layout.codebook_size)
        pairs = [(window[: len(logits)], logits) for window, logits in zip(exact, found, strict=True)]
        return pairs, SPOKEN if known else RANDOM

    def _encoded(self) -> tuple[list[IntArray], bool]:
        """The sentences' text ids `(256,)` and True; without a vocabulary, random ids and False."""
        layout = self._layout
        try:
            tokenizer = self._weights.tokenizer()
            return [encode_text(tokenizer, sentence, layout)[0] for sentence in SENTENCES], True
        except AlrakisError:
            texts = np.full((len(SENTENCES), TEXT_TOKENS), layout.text_pad)
            random = np.random.default_rng(SEED)
            texts[:, :20] = random.integers(layout.text_offset, layout.text_pad, (len(texts), 20))
            return list(texts), False


class _Spoken:
    """What an exported causal model said after a prefix: its tokens, the logits of each draw, its inputs."""

    def __init__(self, prefix: FloatArray) -> None:
        self.first = len(prefix) - 1  # the position before the first draw
        self.inputs = [prefix]
        self.logits: list[FloatArray] = []
        self.drawn: list[int] = []

    @property
    def tokens(self) -> IntArray:
        return np.array(self.drawn, np.int64)


def _linears(shape: GPTShape) -> int:
    """About how many linears the reference runs: all heads are counted as one."""
    return 4 * shape.n_layer + 1


def _speak(
    reference: ReferenceGPT,
    model: CausalGraph,
    prefix: FloatArray,
    heads: Sequence[range],
    stage: Stage,
    number: int,
    candidates: int,
) -> _Spoken:
    """Let an exported model draw STEPS tokens, from the first `candidates` ids of each head in turn."""
    spoken = _Spoken(prefix)
    noise = Noise([SEED + number], stage)
    logits = model.prefill(prefix)
    for step in range(STEPS):
        head = step % len(heads)
        spoken.logits.append(logits[head])
        token = draw(logits[head][None, :candidates], noise.step(step, candidates), Sampling())
        spoken.drawn.append(int(token[0]) + heads[head].start)
        if step + 1 < STEPS:
            x = reference.embed(spoken.tokens[-1:], first=len(prefix) + step)
            spoken.inputs.append(x)
            logits = model.step(x)
    return spoken


def _compare(reference: ReferenceGPT, said: Sequence[_Spoken], heads: Sequence[range]) -> list[Pair]:
    """The logits of fp32 and of the exported model at each draw, for each sequence."""
    inputs = np.stack([np.concatenate(spoken.inputs) for spoken in said])
    by_head = reference.logits(inputs, said[0].first, graph_heads(heads))
    pairs = []
    for row, spoken in enumerate(said):
        exact = [by_head[step % len(heads)][row, step] for step in range(len(spoken.logits))]
        pairs.append((np.stack(exact), np.stack(spoken.logits)))
    return pairs
