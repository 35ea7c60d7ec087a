"""The name and shape of every array of a GPT and of the codec; `types.py` describes the names."""

from alrakis.spec import CodecShape, GPTShape

Shapes = dict[str, tuple[int, ...]]


def gpt_arrays(shape: GPTShape) -> Shapes:
    """Names and shapes of a GPT's arrays; only the fine model's shape has `norm_bias`."""
    width = shape.n_embd
    shapes: Shapes = {"transformer.wpe.weight": (shape.block_size, width)}
    if shape.norm_bias:
        for i in range(shape.n_codes_given):  # the other embeddings are tied to the heads
            shapes[f"transformer.wtes.{i}.weight"] = (shape.input_vocab, width)
        for i in range(shape.n_codes_total - shape.n_codes_given):
            shapes[f"lm_heads.{i}.weight"] = (shape.output_vocab, width)
    else:
        shapes["transformer.wte.weight"] = (shape.input_vocab, width)
        shapes["lm_head.weight"] = (shape.output_vocab, width)
    norms = ["transformer.ln_f"]
    for layer in range(shape.n_layer):
        block = f"transformer.h.{layer}"
        norms += [f"{block}.ln_1", f"{block}.ln_2"]
        shapes[f"{block}.attn.c_attn.weight"] = (3 * width, width)
        shapes[f"{block}.attn.c_proj.weight"] = (width, width)
        shapes[f"{block}.mlp.c_fc.weight"] = (4 * width, width)
        shapes[f"{block}.mlp.c_proj.weight"] = (width, 4 * width)
    for norm in norms:
        shapes[f"{norm}.weight"] = (width,)
        if shape.norm_bias:
            shapes[f"{norm}.bias"] = (width,)
    return shapes


def codec_arrays(shape: CodecShape) -> Shapes:
    """Names and shapes of the codec's arrays. Source of the structure: `encodec/modules/seanet.py`."""
    shapes: Shapes = {
        f"codebooks.{i}": (shape.codebook_size, shape.dimension) for i in range(shape.n_codebooks)
    }

    def convolution(name: str, weight: tuple[int, int, int], channels_out: int) -> None:
        shapes[f"{name}.weight"] = weight
        shapes[f"{name}.bias"] = (channels_out,)

    width = shape.n_filters * 2 ** len(shape.ratios)
    convolution("decoder.model.0.conv.conv", (width, shape.dimension, shape.kernel_size), width)
    for layer in range(shape.lstm_layers):
        for side in ("ih", "hh"):
            shapes[f"decoder.model.1.lstm.weight_{side}_l{layer}"] = (4 * width, width)
            shapes[f"decoder.model.1.lstm.bias_{side}_l{layer}"] = (4 * width,)
    index = 3  # each upsampling has an ELU before it
    for ratio in shape.ratios:
        half = width // 2
        convolution(f"decoder.model.{index}.convtr.convtr", (width, half, 2 * ratio), half)
        block, inner = f"decoder.model.{index + 1}", half // 2
        convolution(f"{block}.block.1.conv.conv", (inner, half, shape.residual_kernel_size), inner)
        convolution(f"{block}.block.3.conv.conv", (half, inner, 1), half)
        convolution(f"{block}.shortcut.conv.conv", (half, half, 1), half)
        width, index = half, index + 3
    convolution(f"decoder.model.{index}.conv.conv", (1, width, shape.kernel_size), 1)
    return shapes
