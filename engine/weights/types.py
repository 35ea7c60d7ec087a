"""What a source of weights gives: arrays under one naming, with their shape, layout and tokenizer.

Naming, whatever the source:
- GPTs: suno's names without the `_orig_mod.` prefix (`transformer.h.0.attn.c_attn.weight`, `lm_head.weight`,
  fine: `transformer.wtes.0.weight`, `lm_heads.0.weight`), linears as `(out, in)`. In the fine model
  `transformer.wtes.1..7` are tied to `lm_heads.0..6` and only the heads are kept.
- codec: EnCodec's decoder names with weight norm folded (`decoder.model.0.conv.conv.weight`,
  `decoder.model.1.lstm.weight_ih_l0`, `decoder.model.3.convtr.convtr.weight`) and the codebooks as
  `codebooks.0` .. `codebooks.7`, `(1024, 128)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from alrakis.spec import CodecShape, GPTShape, Layout, Stage

Arrays = Mapping[str, npt.NDArray[Any]]  # float32, float16 or bfloat16 (ml_dtypes); may be memory-mapped


@dataclass(frozen=True)
class StageWeights:
    """The parameters of one GPT. `source` names the file or recipe, for messages; `identity` is equal for
    equal parameters and is what artifacts are keyed by."""

    stage: Stage
    shape: GPTShape
    arrays: Arrays
    source: str
    identity: str


@dataclass(frozen=True)
class CodecWeights:
    """The parameters of the codec's decoder and its codebooks."""

    shape: CodecShape
    arrays: Arrays
    source: str
    identity: str


class TextEncoder(Protocol):
    """A tokenizer: text to the ids of its own vocabulary."""

    def encode(self, text: str) -> list[int]:
        """Ids of `text`, without special tokens and without the layout's offset."""
        ...


class Weights(Protocol):
    """One set of weights: three GPTs, a codec and a tokenizer. Parts are read when asked for."""

    @property
    def name(self) -> str:
        """What a person calls it: `bark-small`, `demo`, or a path."""
        ...

    @property
    def layout(self) -> Layout: ...

    def stage(self, stage: Stage) -> StageWeights: ...

    def codec(self) -> CodecWeights: ...

    def tokenizer(self) -> TextEncoder: ...
