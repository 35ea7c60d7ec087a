"""Estimating the size of an export before it is made."""

from collections.abc import Sequence
from math import prod

from alrakis.export.build import graph_kinds
from alrakis.export.contract import graph_heads
from alrakis.weights.names import codec_arrays, gpt_arrays
from alrakis.weights.types import CodecWeights, StageWeights

_FP32_BYTES = 4
# bytes per parameter of a linear, scales included
_BYTES = {"fp32": 4.0, "fp16": 2.0, "blocks8": 1.14, "blocks4": 0.64, "columns8": 1.02}


def needed_bytes(part: StageWeights | CodecWeights, precision: str, *, draft: bool = False) -> int:
    """The disk space that the artifact of a part needs, slightly overestimated."""
    if isinstance(part, CodecWeights):
        return _FP32_BYTES * sum(prod(shape) for shape in codec_arrays(part.shape).values())
    tables = linears = 0
    for name, shape in gpt_arrays(part.shape).items():
        head = name.startswith("lm_head")
        if head or name.startswith("transformer.h."):
            linears += prod(shape)
        if name.startswith("transformer.w") or (head and part.stage == "fine"):  # whose heads are tables too
            tables += prod(shape)
    parameter_bytes = sum(_BYTES[kind] for kind in graph_kinds(part.stage, precision, draft=draft).values())
    return int(_FP32_BYTES * tables + parameter_bytes * linears)


def progress_bytes(part: StageWeights, heads: Sequence[range], precision: str, *, draft: bool = False) -> int:
    """Bytes of fp32 parameters that `build_stage` processes and reports as progress."""
    width = part.shape.n_embd
    block = 12 * width * width  # attention 3 + 1, mlp 4 + 4
    rows = sum(len(ids) for ids in graph_heads(heads))
    if part.stage == "fine":
        rows *= part.shape.n_codes_total - part.shape.n_codes_given
    graphs = len(graph_kinds(part.stage, precision, draft=draft))
    return _FP32_BYTES * graphs * (part.shape.n_layer * block + rows * width)
