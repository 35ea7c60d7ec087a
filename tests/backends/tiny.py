"""Weights of tiny shapes with random parameters, in memory, for tests of the backends."""

import functools

import numpy as np
import numpy.typing as npt

from alrakis.spec import CodecShape, GPTShape, Layout, Stage
from alrakis.text.encoder import TextEncoder
from alrakis.weights.types import CodecWeights, StageWeights, Weights
from tests.checkpoints import encodec_state

LAYOUT = Layout(
    semantic_vocab=60,
    semantic_pad=60,
    text_offset=64,
    text_pad=90,
    semantic_infer=91,
    coarse_offset=60,
    coarse_semantic_pad=2108,
    coarse_infer=2110,
)
SHAPES: dict[Stage, GPTShape] = {
    "text": GPTShape(2, 2, 32, input_vocab=96, output_vocab=64),
    "coarse": GPTShape(2, 2, 32, input_vocab=2112, output_vocab=2112),
    "fine": GPTShape(2, 2, 32, input_vocab=1056, output_vocab=1056, norm_bias=True),
}
TEXT_HEADS = range(61), range(60)
COARSE_HEADS = range(60, 1084), range(1084, 2108)


def stage_weights(stage: Stage, seed: int = 0, *, scale: float = 1.0) -> StageWeights:
    """Random parameters of a stage; `scale` multiplies what the blocks add."""
    random = np.random.default_rng(seed)
    shape = SHAPES[stage]
    width = shape.n_embd

    def normal(*size: int, std: float, mean: float = 0.0) -> npt.NDArray[np.float32]:
        return (mean + std * random.standard_normal(size)).astype(np.float32)

    arrays = {"transformer.wpe.weight": normal(shape.block_size, width, std=0.3)}
    if stage == "fine":
        arrays["transformer.wtes.0.weight"] = normal(shape.input_vocab, width, std=0.5)
        for i in range(7):
            arrays[f"lm_heads.{i}.weight"] = normal(shape.output_vocab, width, std=0.5)
    else:
        arrays["transformer.wte.weight"] = normal(shape.input_vocab, width, std=0.5)
        arrays["lm_head.weight"] = normal(shape.output_vocab, width, std=0.5)
    norms = ["transformer.ln_f"]
    for layer in range(shape.n_layer):
        block = f"transformer.h.{layer}"
        norms += [f"{block}.ln_1", f"{block}.ln_2"]
        arrays[f"{block}.attn.c_attn.weight"] = normal(3 * width, width, std=0.25)
        arrays[f"{block}.attn.c_proj.weight"] = normal(width, width, std=0.2 * scale)
        arrays[f"{block}.mlp.c_fc.weight"] = normal(4 * width, width, std=0.2)
        arrays[f"{block}.mlp.c_proj.weight"] = normal(width, 4 * width, std=0.1 * scale)
    for norm in norms:
        arrays[f"{norm}.weight"] = normal(width, std=0.1, mean=1.0)
        if shape.norm_bias:
            arrays[f"{norm}.bias"] = normal(width, std=0.1)
    return StageWeights(stage, shape, arrays, source="random", identity=f"tiny-{stage}-{seed}")


@functools.cache
def codec_weights(seed: int = 0) -> CodecWeights:
    """EnCodec's decoder at its full size with random parameters, weight norm folded by hand."""
    state = {name: value.numpy() for name, value in encodec_state(seed=seed).items()}
    arrays: dict[str, npt.NDArray[np.float32]] = {}
    for name, value in state.items():
        if name.startswith("decoder.") and name.endswith("weight_v"):
            base = name.removesuffix("_v")
            norm = np.sqrt((value.astype(np.float64) ** 2).sum(axis=(1, 2), keepdims=True))
            arrays[base] = (value / norm * state[f"{base}_g"]).astype(np.float32)
        elif name.startswith("decoder.") and not name.endswith("weight_g"):
            arrays[name] = value
    for i in range(8):
        arrays[f"codebooks.{i}"] = state[f"quantizer.vq.layers.{i}._codebook.embed"]
    return CodecWeights(CodecShape(), arrays, source="random", identity=f"tiny-codec-{seed}")


class TinyWeights(Weights):
    """A `Weights` of tiny shapes that remembers what was read of it."""

    name = "tiny"
    layout = LAYOUT

    def __init__(self) -> None:
        self.read: list[str] = []

    def stage(self, stage: Stage) -> StageWeights:
        self.read.append(stage)
        return stage_weights(stage)

    def codec(self) -> CodecWeights:
        self.read.append("codec")
        return codec_weights()

    def tokenizer(self) -> TextEncoder:
        raise NotImplementedError("no test of a backend needs a tokenizer")
