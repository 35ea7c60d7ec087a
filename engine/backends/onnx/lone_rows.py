"""What this machine's operators do with a lone sequence: measured on a layer as wide as Bark's small one."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.config import PRECISIONS
from alrakis.export.build import build_stage
from alrakis.spec import GPTShape
from alrakis.weights.names import gpt_arrays
from alrakis.weights.types import StageWeights

_SHAPE = GPTShape(n_layer=1, n_head=12, n_embd=768, input_vocab=96, output_vocab=96)


def lone_rows() -> dict[str, int]:
    """By precision, how many rows a lone sequence runs as to get the numbers that it gets in company."""
    random, heads = np.random.default_rng(0), (range(_SHAPE.output_vocab),)
    arrays = {
        name: np.float32(0.1) * random.standard_normal(size, np.float32)
        for name, size in gpt_arrays(_SHAPE).items()
    }
    weights, rows = StageWeights("text", _SHAPE, arrays, source="random", identity="random"), {}
    for precision in PRECISIONS["onnx"]:
        with TemporaryDirectory() as folder:
            build_stage(weights, heads, precision, Path(folder))
            gpt = OnnxCausalGPT(Path(folder), _SHAPE, "text", heads, 1, ["CPUExecutionProvider"], 2)
            rows[precision] = gpt.rows
            del gpt
    return rows
