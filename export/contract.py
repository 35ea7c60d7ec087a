"""What those who build graphs and those who run them agree on."""

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort

from alrakis.sampling import IntArray

PREFIX_PARTS = 4  # of a prefix, which attend one after the other: together, their scores outgrow the caches
# On a CPU, what it makes of Add and LayerNormalization takes 3 times as long as they do (onnxruntime 1.32).
UNWANTED_FUSIONS = ["SkipLayerNormFusion"]


def session_options(threads: int | None = None) -> ort.SessionOptions:
    """What every session over our graphs runs with; threads None: as many as ONNX Runtime finds right."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors; its warnings are about graphs, not for users
    # Processors without VNNI add two int8 products in 16 bits, which overflow: a linear was 6 to 11% off.
    # This chooses products that do not, and take 1.3 times as long; on other processors it changes nothing.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def prefix_parts(length: int) -> IntArray:
    """The input `parts` of a prefix graph for so many positions, at least as many as there are parts."""
    return length // PREFIX_PARTS + (np.arange(PREFIX_PARTS) < length % PREFIX_PARTS)


def graph_heads(heads: Sequence[range]) -> list[range]:
    """The heads that a graph needs; one that begins as a longer one before it is read off that one."""
    needed: list[range] = []
    for head in heads:
        if not any(head.start == other.start and head.stop <= other.stop for other in needed):
            needed.append(head)
    return needed


def cache_type(step: ort.InferenceSession) -> type[np.float32] | type[np.int8]:
    """What a causal graph keeps keys and values in."""
    kinds = {one.name: one.type for one in step.get_inputs()}
    return np.int8 if kinds["key_0"] == "tensor(int8)" else np.float32
