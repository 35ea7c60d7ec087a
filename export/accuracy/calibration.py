"""What an export decides from the weights: the scales of an int8 KV cache, and the layers that stay fp32.

Both come from passes in fp64 over the same random ids, whatever else is exported and on however many threads:
an artifact must follow from what it is keyed by, a stage's own weights and the ids that it can draw. Random
ids reach further than speech: in the demo voice their scales lose less than those of what the model says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alrakis.export.accuracy.cache_ranges import CacheRanges
from alrakis.export.accuracy.layers import LayerErrors
from alrakis.export.accuracy.reference import ReferenceGPT
from alrakis.export.accuracy.report import Errors
from alrakis.export.contract import graph_heads
from alrakis.progress import export_bar
from alrakis.sampling import FloatArray, IntArray
from alrakis.spec import N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS
from alrakis.weights.types import StageWeights

SEQUENCES = 4
PREFIX = 257  # ids of any kind before those that can be drawn, as in both causal stages
STEPS = 96
FINE_FRAMES = 128
SEED = 20


@dataclass(frozen=True)
class Calibration:
    """cache_scales: `(layers, 2, C)`, of a causal stage. errors: of each graph's quantized linears."""

    cache_scales: FloatArray | None
    errors: Errors


def calibrate(weights: StageWeights, heads: Sequence[range], folder: Path) -> Calibration:
    """Calibrate a stage whose quantized graphs `build_stage` wrote into a folder.

    heads: ranges of ids that can be drawn; the fine model has one, for all codebooks.
    """
    heads, random = graph_heads(heads), np.random.default_rng(SEED)
    passes = 1 if weights.stage == "fine" else SEQUENCES
    total = passes * 4 * weights.shape.n_layer
    with export_bar(f"calibrating {weights.stage}", total, "layers") as move:
        errors, ranges = LayerErrors(folder, move), CacheRanges(weights.shape)

        def watch(name: str, x: FloatArray, exact: FloatArray) -> None:
            errors(name, x, exact)
            ranges(name, x, exact)

        reference = ReferenceGPT(weights, watch, double=True)
        if weights.stage == "fine":
            _fine(reference, random, len(heads[0]))
            return Calibration(None, errors.errors)
        for _ in range(SEQUENCES):
            x = reference.embed(_ids(random, weights.shape.input_vocab, heads))
            reference.logits(x[None], PREFIX - 1, heads)
    return Calibration(ranges.scales(), errors.errors)


def _ids(random: np.random.Generator, vocabulary: int, heads: Sequence[range]) -> IntArray:
    """Ids of any kind, and after them ids from each head in turn, `(PREFIX + STEPS,)`."""
    drawn = [random.integers(head.start, head.stop) for head in (heads[i % len(heads)] for i in range(STEPS))]
    return np.concatenate([random.integers(0, vocabulary, PREFIX), drawn])


def _fine(reference: ReferenceGPT, random: np.random.Generator, codebook_size: int) -> None:
    codes = random.integers(0, codebook_size, (FINE_FRAMES, N_FINE_CODEBOOKS))
    codebooks = range(N_COARSE_CODEBOOKS, N_FINE_CODEBOOKS)
    inputs = np.stack([reference.embed_codes(codes, codebook) for codebook in codebooks])
    reference.fine_logits(inputs, codebooks, codebook_size)
