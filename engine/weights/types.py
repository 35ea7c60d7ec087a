"""What a source of weights gives: arrays under one naming, with their shape, layout and tokenizer.

Naming, whatever the source (`names.py` lists every name with its shape):
- GPTs: suno's names without the `_orig_mod.` prefix (`transformer.h.0.attn.c_attn.weight`, `lm_head.weight`,
  fine: `transformer.wtes.0.weight`, `lm_heads.0.weight`), linears as `(out, in)`. In the fine model
  `transformer.wtes.1..7` are tied to `lm_heads.0..6` and only the heads are kept.
- codec: EnCodec's decoder names with weight norm folded (`decoder.model.0.conv.conv.weight`,
  `decoder.model.1.lstm.weight_ih_l0`, `decoder.model.3.convtr.convtr.weight`) and the codebooks as
  `codebooks.0` .. `codebooks.7`, `(1024, 128)`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from alrakis.spec import CodecShape, GPTShape, Layout, Stage
from alrakis.text.encoder import TextEncoder

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]  # float32, float16 or bfloat16 (ml_dtypes); may be memory-mapped, read-only
Identity = str | Callable[[], str]


class _Part:
    """Arrays, where they come from, and an identity that is worked out when it is first asked for."""

    def __init__(self, arrays: Arrays, source: str, identity: Identity) -> None:
        self.arrays = arrays
        self.source = source  # the file or recipe, for messages
        self._identity = identity

    @property
    def identity(self) -> str:
        """Equal for equal parameters: artifacts are keyed by it. Files are hashed, which may take seconds."""
        if not isinstance(self._identity, str):
            self._identity = self._identity()
        return self._identity


class StageWeights(_Part):
    """The parameters of one GPT."""

    def __init__(
        self, stage: Stage, shape: GPTShape, arrays: Arrays, source: str, identity: Identity
    ) -> None:
        super().__init__(arrays, source, identity)
        self.stage = stage
        self.shape = shape


class CodecWeights(_Part):
    """The parameters of the codec's decoder and its codebooks."""

    def __init__(self, shape: CodecShape, arrays: Arrays, source: str, identity: Identity) -> None:
        super().__init__(arrays, source, identity)
        self.shape = shape


class Weights(ABC):
    """One set of weights: three GPTs, a codec and a tokenizer. Parts are read when asked for.

    To be derived from: what a set of weights need not have is empty here.
    """

    name: str  # what a person calls it: `bark-small`, `demo`, or a path

    layout: Layout

    @abstractmethod
    def stage(self, stage: Stage) -> StageWeights:
        """A GPT's parameters. Raises WeightsError when they are missing or damaged, as those below do."""

    @abstractmethod
    def codec(self) -> CodecWeights:
        """The codec's parameters."""

    @abstractmethod
    def tokenizer(self) -> TextEncoder:
        """The tokenizer of the text model."""

    @property
    def voices(self) -> Mapping[str, Path]:
        """Where voices of the weights' own lie, by the names that a person gives."""
        return {}

    @property
    def note(self) -> str:
        """What a person should know before these weights speak; empty where there is nothing."""
        return ""

    def remarks(self, text: str) -> list[str]:
        """What a person should know before this text is said. Raises InputError if it cannot be."""
        return []
