"""Random parameters in Bark's shapes, for benchmarks and tests without a download.

The same name and size give the same values on every machine. Speed does not depend on the values. They are
scaled so that activations neither vanish nor overflow, audio is not silent and speech does not end at once.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from alrakis.spec import CodecShape, GPTShape, Layout, Stage, bark_shape
from alrakis.text.encoder import BertEncoder, TextEncoder
from alrakis.weights.names import Shapes, codec_arrays, gpt_arrays
from alrakis.weights.types import Array, CodecWeights, StageWeights, Weights

SYNTHETIC_SIZES = ("small", "large", "tiny")
_VERSION = 1  # to be raised when the values change: artifacts are keyed by it
_CODEC_GAIN = 0.8  # of each layer; gives audio with a standard deviation of about 0.1
_SCRIPTS = (
    (0x21, 0x7F),  # ASCII
    (0xA1, 0x250),  # Latin with accents
    (0x370, 0x530),  # Greek and Cyrillic
    (0x900, 0x980),  # Devanagari
    (0x3041, 0x3100),  # Kana
    (0x4E00, 0xA000),  # Han
    (0xAC00, 0xD7A4),  # Hangul
)


class SyntheticWeights(Weights):
    """Bark with random parameters; sizes: the size of each stage; name: decides the size of the codec."""

    def __init__(self, name: str, sizes: Mapping[Stage, str]) -> None:
        self.name = name
        self.layout = Layout()
        self._sizes = dict(sizes)

    def stage(self, stage: Stage) -> StageWeights:
        size = self._sizes[stage]
        shape = synthetic_shape(stage, size)
        source = f"synthetic-{size} {stage}"
        return StageWeights(stage, shape, _RandomArrays(source, gpt_arrays(shape)), source, _identity(source))

    def codec(self) -> CodecWeights:
        tiny = self.name == "synthetic-tiny"
        shape = CodecShape(n_filters=4, dimension=16) if tiny else CodecShape()
        source = f"synthetic codec of {shape.n_filters} filters"
        return CodecWeights(shape, _RandomArrays(source, codec_arrays(shape)), source, _identity(source))

    def tokenizer(self) -> TextEncoder:
        letters = [chr(code) for first, last in _SCRIPTS for code in range(first, last)]
        lines = ["[PAD]", "[UNK]", *letters, *(f"##{letter}" for letter in letters)]
        return BertEncoder.from_vocab(lines, lowercase=False)


def synthetic_shape(stage: Stage, size: str) -> GPTShape:
    """Bark's shapes; "tiny" has 2 layers, 2 heads and a width of 64, with the full vocabularies."""
    if size == "tiny":
        return replace(bark_shape(stage, "small"), n_layer=2, n_head=2, n_embd=64)
    return bark_shape(stage, size)


class _RandomArrays(Mapping[str, Array]):
    """Arrays that are made anew on each access, to save memory."""

    def __init__(self, source: str, shapes: Shapes) -> None:
        self._source, self._shapes = source, shapes

    def __getitem__(self, name: str) -> Array:
        shape = self._shapes[name]
        digest = hashlib.sha256(f"{_VERSION} {self._source} {name}".encode()).digest()
        random = np.random.Generator(np.random.SFC64(int.from_bytes(digest[:16], "little")))
        values = random.standard_normal(shape, dtype=np.float32)
        mean, deviation = _distribution(name, shape)
        values *= np.float32(deviation)
        values += np.float32(mean)
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)


def _distribution(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Mean and standard deviation of an array's values."""
    if name.startswith("codebooks."):
        return 0.0, 0.35  # so the sum of 8 has a deviation of 1
    if name.startswith("decoder."):
        if "bias" in name:
            return 0.0, 0.01
        if "convtr" in name:  # each output sample depends on two taps per input channel
            return 0.0, _CODEC_GAIN / math.sqrt(shape[0] * 2)
        return 0.0, _CODEC_GAIN / math.sqrt(math.prod(shape[1:]))
    if ".ln_" in name:
        return (1.0, 0.02) if name.endswith("weight") else (0.0, 0.02)
    return 0.0, 0.02


def _identity(source: str) -> str:
    return hashlib.sha256(f"{_VERSION} {source}".encode()).hexdigest()
