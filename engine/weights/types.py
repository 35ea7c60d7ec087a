"""A set of weights: arrays with their shape, layout and tokenizer.

The names of arrays are the same for every source; `names.py` lists them with their shapes:
- GPTs: suno's names without the `_orig_mod.` prefix (`transformer.h.0.attn.c_attn.weight`, `lm_head.weight`,
  fine: `transformer.wtes.0.weight`, `lm_heads.0.weight`), linears as `(out, in)`. In the fine model
  `transformer.wtes.1..7` are tied to `lm_heads.0..6`, and only the heads are kept.
- codec: EnCodec's decoder names with weight norm folded (`decoder.model.0.conv.conv.weight`,
  `decoder.model.1.lstm.weight_ih_l0`, `decoder.model.3.convtr.convtr.weight`) and the codebooks as
  `codebooks.0` .. `codebooks.7`, `(1024, 128)`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from alrakis.spec import PARTS, CodecShape, GPTShape, Layout, Part, Stage
from alrakis.text.encoder import TextEncoder

Array = npt.NDArray[Any]
Arrays = Mapping[str, Array]  # float32, float16 or bfloat16 (ml_dtypes); may be read-only views of a file
Identity = str | Callable[[], str]


class _Part:
    """Arrays, their source, and their identity, which is computed when it is first needed."""

    def __init__(self, arrays: Arrays, source: str, identity: Identity) -> None:
        self.arrays = arrays
        self.source = source  # a file or a recipe, for messages
        self._identity = identity

    @property
    def identity(self) -> str:
        """The same for the same parameters; artifacts are keyed by it. Hashing files may take seconds."""
        if not isinstance(self._identity, str):
            self._identity = self._identity()
        return self._identity


class StageWeights(_Part):
    """The parameters of one GPT.

    measured: exports of it were compared with fp32 before it came here, and need not be when first made.
    cache_scales: those of an int8 KV cache, `(layers, 2, C)`, where they are known.
    """

    def __init__(
        self,
        stage: Stage,
        shape: GPTShape,
        arrays: Arrays,
        source: str,
        identity: Identity,
        *,
        measured: bool = False,
        cache_scales: npt.NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(arrays, source, identity)
        self.stage = stage
        self.shape = shape
        self.measured = measured
        self.cache_scales = cache_scales


class CodecWeights(_Part):
    """The parameters of the codec's decoder and its codebooks."""

    def __init__(self, shape: CodecShape, arrays: Arrays, source: str, identity: Identity) -> None:
        super().__init__(arrays, source, identity)
        self.shape = shape


class Weights(ABC):
    """Three GPTs, a codec and a tokenizer, each read when it is needed.

    The methods that read raise WeightsError for what is missing or damaged.
    """

    name: str  # as the user gives it: `bark-small`, `demo` or a path
    layout: Layout

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @abstractmethod
    def stage(self, stage: Stage) -> StageWeights:
        """A GPT's parameters."""

    @abstractmethod
    def codec(self) -> CodecWeights:
        """The codec's parameters."""

    @abstractmethod
    def tokenizer(self) -> TextEncoder:
        """The tokenizer of the text model."""

    def fetch(self, parts: Sequence[Part] = PARTS) -> None:  # noqa: B027  # most have all that they need
        """Have the files of these parts on this machine, the text model's with its vocabulary.

        Work begins after it: what is missing is downloaded. Raises WeightsNotFoundError, which names all that
        cannot be.
        """

    @property
    def voices(self) -> Mapping[str, Path]:
        """The paths of voices that come with these weights, by name."""
        return {}

    @property
    def note(self) -> str:
        """What the user should know about these weights before they are used; may be empty."""
        return ""

    def remarks(self, text: str) -> list[str]:
        """What the user should know before this text is said. Raises InputError if it cannot be said."""
        return []
