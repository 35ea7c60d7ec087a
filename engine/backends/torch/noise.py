"""`alrakis.sampling.StageNoise` in torch's integer arithmetic, made where it is used.

Philox's words are unsigned; int64 wraps in the same way, and only shifts to the right need a mask.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from alrakis.backends.torch.device import upload
from alrakis.backends.torch.noise_kernel import fused
from alrakis.sampling import BLOCK, Draw, IntArray, StageNoise
from alrakis.spec import STAGES, Stage

AHEAD = 16  # steps whose noise is made at once: a step then starts no kernels for it

_ROUNDS = 10
_MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_KEY_STEPS = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_LOW = 0xFFFFFFFF


class DeviceNoise:
    """Standard exponential float32 noise of one stage, made on a device."""

    def __init__(self, stage: Stage, device: torch.device) -> None:
        self._stage = STAGES.index(stage)
        self._device = device
        self._exponential = fused(self._stage, device, exponential)
        self._block = torch.empty(0)
        self._begun: list[tuple[int, int]] = []  # of each row of the block, seed and first step

    def rows(self, draws: Sequence[Draw], candidates: int) -> Tensor:
        """Noise for a step of each sequence, `(B, candidates)`."""
        seed, step = draws[0].seed, draws[0].step
        place = step - self._begun[0][1] if self._begun and self._begun[0][0] == seed else AHEAD
        wanted = [(draw.seed, draw.step - place) for draw in draws]
        if not 0 <= place < AHEAD or wanted != self._begun or self._block.shape[2] != candidates:
            place = 0
            self._begun = [(draw.seed, draw.step) for draw in draws]
            steps = np.array([range(draw.step, draw.step + AHEAD) for draw in draws])
            self._block = self._made([draw.seed for draw in draws], steps, 0, candidates)
        return self._block[:, place]

    def frames(self, draws: Sequence[Draw], first: int, frames: int, candidates: int) -> Tensor:
        """Noise for frames of a window from `first` on, `(B, frames - first, candidates)`."""
        steps = np.array([[draw.step] for draw in draws])
        count = (frames - first) * candidates
        made = self._made([draw.seed for draw in draws], steps, first * candidates, count)
        return made.view(len(draws), frames - first, candidates)

    def release(self) -> None:
        """Forget what was made ahead."""
        self._block, self._begun = torch.empty(0), []

    def _made(self, seeds: Sequence[int], steps: IntArray, first: int, count: int) -> Tensor:
        """Noise `(B, N, count)` of candidates from `first` on, for steps `(B, N)`."""
        keys = np.array([[signed(seed)] for seed in seeds])
        given = upload(keys, self._device), self._stage, upload(steps, self._device)
        return self._exponential(*given, first, count)


class HostNoise:
    """The same on the CPU, where numpy is quicker."""

    def __init__(self, stage: Stage) -> None:
        self._noise = StageNoise(stage)

    def rows(self, draws: Sequence[Draw], candidates: int) -> Tensor:
        """Noise for a step of each sequence, `(B, candidates)`."""
        return torch.from_numpy(self._noise.rows(draws, candidates))

    def frames(self, draws: Sequence[Draw], first: int, frames: int, candidates: int) -> Tensor:
        """Noise for frames of a window from `first` on, `(B, frames - first, candidates)`."""
        return torch.from_numpy(
            np.stack([self._noise.frames(d.seed, d.step, first, frames, candidates) for d in draws])
        )

    def release(self) -> None:
        """Nothing is made ahead."""


def noise_on(stage: Stage, device: torch.device) -> DeviceNoise | HostNoise:
    """A stage's noise where a device can use it."""
    return HostNoise(stage) if device.type == "cpu" else DeviceNoise(stage, device)


def exponential(seeds: Tensor, stage: int, steps: Tensor, first: int, count: int) -> Tensor:
    """Noise of `count` candidates from `first` on, `(B, N, count)`; seeds `(B, 1)`, steps `(B, N)` int64."""
    block, skipped = divmod(first, BLOCK)
    blocks = -(-(skipped + count) // BLOCK)
    # numpy counts up before it gives the first block
    lanes = torch.arange(block + 1, block + 1 + blocks, device=steps.device)
    words = philox(lanes, steps[..., None], seeds[..., None], stage)
    halves = torch.stack([half for word in words for half in (word & _LOW, _high(word))], -1)
    bits = halves.flatten(-2)[..., skipped : skipped + count]
    v = (bits - ((bits >> 31) << 32)).float() * 2.0**-32  # as signed; the rest as in `sampling._exponential`
    one = (v >= 0).float()
    w = one - v
    return ((v - (one - w)) - w.log()).clamp_(min=2.0**-33)


def philox(lanes: Tensor, steps: Tensor, seeds: Tensor, stage: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Philox 4x64-10 at the counter (lane, step, 0, 0) with the key (seed, stage): four words as int64.

    The two products of a round are one tensor `(2, ...)`: a device has half as many kernels to start.
    """
    zero = torch.zeros_like(lanes + steps)
    even, odd = torch.stack([lanes + zero, zero]), torch.stack([steps + zero, zero])  # words 0 and 2, 1 and 3
    keys = torch.stack([seeds, torch.full_like(seeds, stage)])
    key_steps = _pair(_KEY_STEPS, even)
    multipliers = _pair(_MULTIPLIERS[::-1], even)
    m_high, m_low = _high(multipliers), multipliers & _LOW
    for number in range(_ROUNDS):
        if number:
            keys = keys + key_steps
        crossed = even.flip(0)  # each product goes into the other pair of words
        even = _high_product(crossed, m_high, m_low) ^ odd ^ keys
        odd = crossed * multipliers
    return even[0], odd[0], even[1], odd[1]


def _high_product(x: Tensor, m_high: Tensor, m_low: Tensor) -> Tensor:
    """The high word of a product of 128 bits, of halves of words."""
    high, low = _high(x), x & _LOW
    middle = m_low * high + _high(m_low * low)  # at most 2**64 - 2**32: nothing is carried
    middle_low = m_high * low + (middle & _LOW)
    return m_high * high + _high(middle) + _high(middle_low)


def _pair(words: Sequence[int], like: Tensor) -> Tensor:
    """Two words as `(2, 1, ..., 1)`; filled in place, which a CUDA graph can record, where a copy cannot."""
    pair = torch.empty((2,) + (1,) * (like.dim() - 1), dtype=torch.int64, device=like.device)
    for place, word in enumerate(words):
        pair[place] = signed(word)
    return pair


def _high(word: Tensor) -> Tensor:
    return (word >> 32) & _LOW


def signed(word: int) -> int:
    """A word of 64 bits, unsigned, as int64 has it."""
    word &= 2**64 - 1
    return word - 2**64 if word >= 2**63 else word
