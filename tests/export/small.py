"""Small weights to export, as they are or with a layer that quantization breaks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from alrakis.config import Config, parse_config
from alrakis.export.artifacts import Artifacts
from alrakis.export.store import Artifact
from alrakis.spec import Stage
from alrakis.text.encoder import TextEncoder
from alrakis.weights import open_weights
from alrakis.weights.types import Array, CodecWeights, StageWeights, Weights
from tests.backends.tiny import LAYOUT, stage_weights


class WordLengths:
    """A tokenizer that needs no vocabulary: the id of a word is its length."""

    def encode(self, text: str) -> list[int]:
        return [len(word) for word in text.split()]


class Small:
    """Weights of tiny shapes and vocabularies, in memory; seed: which parameters. arrays: replaces some."""

    name = "small"
    layout = LAYOUT

    def __init__(self, seed: int = 0, arrays: Mapping[str, Array] | None = None) -> None:
        self._seed = seed
        self._arrays = dict(arrays or {})

    def stage(self, stage: Stage) -> StageWeights:
        made = stage_weights(stage, self._seed)
        arrays = {**made.arrays, **self._arrays}
        changed = "-".join(["", *self._arrays])
        return StageWeights(stage, made.shape, arrays, "random", f"{made.identity}{changed}")

    def codec(self) -> CodecWeights:
        return open_weights("synthetic-tiny").codec()

    def tokenizer(self) -> TextEncoder:
        return WordLengths()


def outlying(stage: Stage, layer: str, norm: str, factor: float) -> dict[str, Array]:
    """Arrays that compute the same and quantize badly: one input of a linear is scaled up, its norm down.

    A factor above 1 spoils the weights of each block that the input is in; below 1, the activations.
    """
    made = stage_weights(stage)
    weight, scale = (np.array(made.arrays[f"{name}.weight"]) for name in (layer, norm))
    weight[:, 3] *= factor
    scale[3] /= factor
    return {f"{layer}.weight": weight, f"{norm}.weight": scale}


def config(precision: str = "int8", **keys: Any) -> Config:
    values = {"backend": "onnx", "precision": precision, "trades": "" if precision == "fp32" else "tested"}
    return parse_config({**values, **keys}, "test")


def ensure(weights: Weights, chosen: Config, stage: Any = "coarse") -> Artifact:
    return Artifacts(weights, chosen).ensure(weights.stage(stage))


def unmeasured(**changes: Any) -> Small:
    """Weights that are not measured when they are exported, which takes less time."""
    weights = Small(**changes)
    weights.name = "synthetic-small"
    return weights
