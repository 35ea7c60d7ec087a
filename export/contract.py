"""What the modules that build graphs and those that run them share."""

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort

from alrakis.sampling import IntArray
from alrakis.spec import GPTShape

# Attention over a prefix runs in this many parts: the scores of the whole do not fit into a CPU's caches.
PREFIX_PARTS = 4
# On a CPU, the fused operator takes 3 times as long as Add and LayerNormalization (onnxruntime 1.32).
UNWANTED_FUSIONS = ["SkipLayerNormFusion"]


def session_options(threads: int | None = None) -> ort.SessionOptions:
    """The options of every session over exported graphs. threads None: ONNX Runtime chooses."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors only: the warnings are about graphs and of no use to users
    # Without VNNI, sums of two int8 products overflow 16 bits. This option chooses slower kernels, which do
    # not overflow; with VNNI it changes nothing.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def prefix_parts(length: int) -> IntArray:
    """The input `parts` of a prefix graph: the lengths of its parts, for at least PREFIX_PARTS positions."""
    return length // PREFIX_PARTS + (np.arange(PREFIX_PARTS) < length % PREFIX_PARTS)


def fine_frames(shape: GPTShape, codebook: int, count: int) -> IntArray:
    """The input `frames` of the fine graph: all frames with logits are for the head of one codebook."""
    frames = np.zeros(shape.n_codes_total - shape.n_codes_given, np.int64)
    frames[codebook - shape.n_codes_given] = count
    return frames


def graph_heads(heads: Sequence[range]) -> list[range]:
    """The heads that a graph has: a head that is the beginning of an earlier one is read from its logits."""
    needed: list[range] = []
    for head in heads:
        if not any(head.start == other.start and head.stop <= other.stop for other in needed):
            needed.append(head)
    return needed


def cache_type(step: ort.InferenceSession) -> type[np.float32] | type[np.int8]:
    """The type of the keys and values of a causal graph."""
    kinds = {value.name: value.type for value in step.get_inputs()}
    return np.int8 if kinds["key_0"] == "tensor(int8)" else np.float32
