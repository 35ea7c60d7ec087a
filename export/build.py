"""Turning the weights of a part into the files that the ONNX Runtime backend opens.

The folder of a GPT has its graphs (`graph_kinds`), and its embedding tables as `.npy` files to be mapped.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np

from alrakis.export.contract import graph_heads
from alrakis.export.graphs.codec import CodecGraph
from alrakis.export.graphs.gpt import Kind, Trunk
from alrakis.sampling import FloatArray
from alrakis.spec import Stage
from alrakis.weights.types import Array, CodecWeights, StageWeights

STEP_KINDS: dict[str, Kind] = {"fp32": "fp32", "int8": "blocks8", "int4": "blocks4"}
MANY_KINDS: dict[str, Kind] = {"fp32": "fp32", "fp16": "fp16", "int8": "columns8", "int4": "columns8"}


def graph_kinds(stage: Stage, precision: str, *, draft: bool = False) -> dict[str, Kind]:
    """The names of a GPT's graphs, and how the linears of each are kept.

    `step` runs a token, and also prefixes if there is no `prefill`. Only the coarse model has a `prefill`: it
    runs a long prefix for each window. The text model runs a short one for each text, which does not justify
    the memory of a second copy of its parameters. `draft` guesses tokens that `step` checks.
    """
    if stage == "fine":
        return {"fine": MANY_KINDS[precision]}
    graphs = {"step": STEP_KINDS[precision]}
    if stage == "coarse" and MANY_KINDS[precision] != STEP_KINDS[precision]:
        graphs["prefill"] = MANY_KINDS[precision]
    if draft:
        graphs["draft"] = "blocks8"
    return graphs


def build_stage(
    weights: StageWeights,
    heads: Sequence[range],
    precision: str,
    folder: Path,
    *,
    draft: bool = False,
    precise: Collection[str] = (),
    cache_scales: FloatArray | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> None:
    """Write a GPT's graphs and tables into a folder.

    heads: ranges of ids that can be drawn; the fine model has one, for all codebooks.
    precision: "fp32", "int8" or "int4"; of the fine model, for GPUs, also "fp16". precise: linears that stay
    fp32.
    draft: whether to write a graph that guesses tokens.
    cache_scales: `(layers, 2, C)`, for an int8 KV cache. A prefix graph still computes attention in fp32,
    which over many positions is far faster.
    progress: called with the bytes of parameters just processed.
    """
    heads = graph_heads(heads)
    for name, kind in graph_kinds(weights.stage, precision, draft=draft).items():
        trunk = Trunk(weights, folder, name, kind, precise, cache_scales, progress)
        if weights.stage == "fine":
            trunk.bidirectional(len(heads[0]))
        elif name == "prefill" and cache_scales is not None:
            trunk.prefix(heads)
        else:
            trunk.causal(heads)
    if weights.stage == "fine":
        for codebook in range(weights.shape.n_codes_total):
            save_table(folder, f"codebook_{codebook}", weights.arrays[_fine_table(weights, codebook)])
    else:
        save_table(folder, "tokens", weights.arrays["transformer.wte.weight"])
    if cache_scales is not None:
        save_table(folder, "cache_scales", cache_scales)
    save_table(folder, "positions", weights.arrays["transformer.wpe.weight"])


def build_codec(weights: CodecWeights, folder: Path) -> None:
    """Write the codec's graph and codebooks into a folder, in fp32."""
    CodecGraph(weights, folder).build()
    tables = [weights.arrays[f"codebooks.{i}"] for i in range(weights.shape.n_codebooks)]
    save_table(folder, "codebooks", np.stack([np.asarray(table, np.float32) for table in tables]))


def save_table(folder: Path, name: str, table: Array) -> None:
    """Write an embedding table as a float32 `.npy`, in slices to save memory."""
    with (folder / f"{name}.npy").open("wb") as file:  # not a mapped file: a full disk would end the process
        header = {"descr": "<f4", "fortran_order": False, "shape": table.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, len(table), 8192):
            file.write(np.ascontiguousarray(table[first : first + 8192], "<f4").data)


def _fine_table(weights: StageWeights, codebook: int) -> str:
    """The name of a codebook's embeddings; predicted codebooks share their heads' (`bark/model_fine.py`)."""
    given = weights.shape.n_codes_given
    return (
        f"transformer.wtes.{codebook}.weight" if codebook < given else f"lm_heads.{codebook - given}.weight"
    )
