"""Weights whose arrays are made once and by all cores, for several engines of one process."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from alrakis.spec import Stage
from alrakis.text.encoder import TextEncoder
from alrakis.weights import open_weights
from alrakis.weights.types import CodecWeights, StageWeights, Weights

_Part = TypeVar("_Part", StageWeights, CodecWeights)


class Kept(Weights):
    """Weights by name. Random parameters of the large model take a core half a minute to draw."""

    def __init__(self, name: str) -> None:
        self._inner = open_weights(name)
        self.name, self.layout = self._inner.name, self._inner.layout
        self._stages: dict[Stage, StageWeights] = {}
        self._codec: CodecWeights | None = None

    def stage(self, stage: Stage) -> StageWeights:
        if stage not in self._stages:
            self._stages[stage] = _drawn(self._inner.stage(stage))
        return self._stages[stage]

    def codec(self) -> CodecWeights:
        if self._codec is None:
            self._codec = _drawn(self._inner.codec())
        return self._codec

    def tokenizer(self) -> TextEncoder:
        return self._inner.tokenizer()


def _drawn(part: _Part) -> _Part:
    arrays = part.arrays
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy lets other threads run while it draws
        part.arrays = dict(zip(arrays, pool.map(arrays.__getitem__, arrays), strict=True))
    return part
