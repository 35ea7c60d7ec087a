"""Weights as the file that bark.cpp reads: its `convert.py`, from alrakis' arrays instead of a checkpoint's.

Numbers are int32. Matrices are float16, all else float32: on a CPU bark.cpp's codec takes no other kernels.
EnCodec's encoder, which Bark does not use, is left out.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from alrakis.errors import InputError
from alrakis.spec import STAGES, GPTShape
from alrakis.text.encoder import BertEncoder
from alrakis.weights.types import Array, CodecWeights, StageWeights, Weights

_MAGIC = 0x67676D6C
_HALVES = 1  # the type of a float16 tensor, and of a file that has such
_BANDWIDTH = 24  # kbit/s, of all 32 codebooks: what bark.cpp makes room for
# from suno's names to bark.cpp's
_RENAMES = (
    (r"^transformer\.wte\.weight$", "model/wte/0"),
    (r"^transformer\.wtes\.(\d+)\.weight$", r"model/wte/\1"),
    (r"^transformer\.wpe\.weight$", "model/wpe"),
    (r"^transformer\.ln_f\.weight$", "model/ln_f/g"),
    (r"^transformer\.ln_f\.bias$", "model/ln_f/b"),
    (r"^transformer\.h\.(\d+)\.(ln_\d)\.weight$", r"model/h\1/\2/g"),
    (r"^transformer\.h\.(\d+)\.(ln_\d)\.bias$", r"model/h\1/\2/b"),
    (r"^transformer\.h\.(\d+)\.(attn|mlp)\.(\w+)\.weight$", r"model/h\1/\2/\3/w"),
    (r"^lm_head\.weight$", "model/lm_head/0"),
    (r"^lm_heads\.(\d+)\.weight$", r"model/lm_head/\1"),
)


def write_ggml(weights: Weights, path: Path) -> None:
    """Write all parts of weights into one file. Raises InputError for weights without BERT's tokenizer."""
    tokenizer = weights.tokenizer()
    if not isinstance(tokenizer, BertEncoder):
        raise InputError(f"{weights.name} has another tokenizer than BERT's, and bark.cpp knows no other")
    vocab = tokenizer.vocab
    with path.open("wb") as file:
        _numbers(file, _MAGIC)
        _numbers(file, len(vocab))
        for word in sorted(vocab, key=vocab.__getitem__):
            _numbers(file, len(word.encode()))
            file.write(word.encode())
        for stage in STAGES:
            _write_stage(file, weights.stage(stage))
        _numbers(file, _MAGIC)
        _write_codec(file, weights.codec(), weights.layout.sample_rate_hz)


def _write_stage(file: BinaryIO, weights: StageWeights) -> None:
    shape, fine = weights.shape, weights.stage == "fine"
    heads, tables = (shape.n_codes_total - shape.n_codes_given, shape.n_codes_total) if fine else (1, 1)
    _numbers(file, shape.n_layer, shape.n_head, shape.n_embd, shape.block_size, int(shape.norm_bias))
    _numbers(file, shape.input_vocab, shape.output_vocab, heads, tables, _HALVES)
    tensors = list(_stage_tensors(weights, shape))
    _numbers(file, len(tensors))
    for name, array in tensors:
        halves = array.ndim == 2 and (name.endswith("/w") or "/wte/" in name or "/lm_head/" in name)
        _write_tensor(file, name, array, halves)


def _stage_tensors(weights: StageWeights, shape: GPTShape) -> Iterator[tuple[str, Array]]:
    for name, array in weights.arrays.items():
        found = name
        for pattern, replacement in _RENAMES:
            found = re.sub(pattern, replacement, found)
        yield found, array
    if weights.stage == "fine":  # tables that are tied to heads stand in the file a second time
        for table in range(shape.n_codes_given, shape.n_codes_total):
            yield f"model/wte/{table}", weights.arrays[f"lm_heads.{table - shape.n_codes_given}.weight"]


def _write_codec(file: BinaryIO, codec: CodecWeights, sample_rate_hz: int) -> None:
    shape = codec.shape
    _numbers(file, 1, shape.dimension, shape.n_filters, shape.kernel_size, shape.residual_kernel_size)
    _numbers(file, shape.codebook_size, _BANDWIDTH, sample_rate_hz, _HALVES)
    for name, array in codec.arrays.items():
        codebook = re.fullmatch(r"codebooks\.(\d+)", name)
        found = f"quantizer.vq.layers.{codebook[1]}._codebook.embed" if codebook else name
        _write_tensor(file, found, array, "weight" in found)


def _write_tensor(file: BinaryIO, name: str, array: Array, halves: bool) -> None:
    _numbers(file, array.ndim, len(name), _HALVES if halves else 0, *reversed(array.shape))
    file.write(name.encode())
    file.write(np.ascontiguousarray(array, np.float16 if halves else np.float32).data)


def _numbers(file: BinaryIO, *numbers: int) -> None:
    file.write(struct.pack(f"<{len(numbers)}i", *numbers))
