"""Turning one part's weights into the files that the ONNX Runtime backend opens.

A GPT's folder holds its graphs (`graph_kinds`) and its embedding tables as `.npy`, mapped and not read.
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
MANY_KINDS: dict[str, Kind] = {"fp32": "fp32", "int8": "columns8", "int4": "columns8"}


def graph_kinds(stage: Stage, precision: str, *, draft: bool = False) -> dict[str, Kind]:
    """The graphs of a GPT, and how the linears of each are kept.

    `step` takes one token, and a prefix where there is no `prefill`. Only the coarse model has that: its
    prefixes come by the window and are long. The text model's is short and comes once a text; a second copy
    of its parameters would cost more memory than it saves time. `draft` guesses tokens that `step` checks.
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

    heads: the ids that can be drawn; the fine model has one, its codebooks' ids. precision: "fp32", "int8"
    or "int4". draft: with a graph that guesses tokens. precise: linears that stay fp32. cache_scales:
    `(layers, 2, C)` for a KV cache in int8; a graph for prefixes attends in fp32 all the same, since over
    many positions int8 is far slower. progress: called with bytes of parameters worked through.
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
    """Write the codec's graph and codebooks into a folder; it is always fp32."""
    CodecGraph(weights, folder).build()
    tables = [weights.arrays[f"codebooks.{i}"] for i in range(weights.shape.n_codebooks)]
    save_table(folder, "codebooks", np.stack([np.asarray(table, np.float32) for table in tables]))


def save_table(folder: Path, name: str, table: Array) -> None:
    """An embedding table as float32 `.npy`, written in slices: it may be larger than memory should hold."""
    with (folder / f"{name}.npy").open("wb") as file:  # not mapped: there, a full disk ends the process
        header = {"descr": "<f4", "fortran_order": False, "shape": table.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, len(table), 8192):
            file.write(np.ascontiguousarray(table[first : first + 8192], "<f4").data)


def _fine_table(weights: StageWeights, codebook: int) -> str:
    """Embeddings of the codebooks that can be predicted are tied to their heads (`bark/model_fine.py`)."""
    given = weights.shape.n_codes_given
    return (
        f"transformer.wtes.{codebook}.weight" if codebook < given else f"lm_heads.{codebook - given}.weight"
    )
