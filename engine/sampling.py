"""Drawing tokens: noise as data, and the race that picks a token.

A token is drawn by an exponential race: the candidate with the smallest `noise / probability` wins, which is
what `torch.multinomial` does inside. Noise comes from a counter: a number belongs to (seed, stage, step,
candidate), so a sequence says the same thing alone, in company, and on every backend.
"""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from alrakis.errors import GenerationError, InputError, element, nearest
from alrakis.spec import STAGES, Stage

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

NOT_A_NUMBER = -1  # in place of a token whose logits are not numbers, until somebody reads it
_OVERFLOW = "the model's output is not a number; this precision overflows here: use fp32 or bf16"
BLOCK = 8  # numbers of noise that one value of the counter gives
_LEAST = np.float32(2**-33)  # noise in place of 0: 0 / 0 would be no number
_TINY = np.finfo(np.float32).tiny
MAX_SEED = 2**64 - 1
MOST_TAKES = 100


@dataclass(frozen=True)
class Sampling:
    """How a token is chosen among candidates.

    temperature: divides the logits; 0 picks the likeliest candidate.
    top_k: only the k likeliest candidates (ties included); None for all.
    top_p: only the likeliest candidates that together reach this probability; None for all.
    stop_p: when the last candidate's probability reaches this, it is the one chosen (Bark's `min_eos_p`).
    """

    temperature: float = 0.7
    top_k: int | None = None
    top_p: float | None = None
    stop_p: float | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.temperature) or not (0 <= self.temperature < math.inf):
            raise InputError(
                f"temperature must be a finite number, 0 (greedy) or above, not {self.temperature!r}"
            )
        if self.top_k is not None and (not _is_whole(self.top_k) or self.top_k < 1):
            raise InputError(f"top_k must be None or a whole number of at least 1, not {self.top_k!r}")
        for name in ("top_p", "stop_p"):
            value = getattr(self, name)
            if value is not None and (not _is_number(value) or not value >= 0):
                raise InputError(f"{name} must be None or a number of at least 0, not {value!r}")

    @property
    def greedy(self) -> bool:
        return self.temperature == 0


@dataclass(frozen=True)
class Draw:
    """What decides one draw of one sequence, beside its logits.

    seed, step: where its noise is. head: the ids that can be drawn, by their number in the model.
    """

    seed: int
    step: int
    sampling: Sampling
    head: int = 0


@dataclass(frozen=True)
class Draws:
    """What decides the draws to come of one sequence: `count` of them, the first at `step`.

    heads: taken in turn.
    """

    seed: int
    step: int
    sampling: Sampling
    heads: Sequence[int]
    count: int

    def at(self, done: int) -> Draw:
        """The draw after `done` others."""
        return Draw(self.seed, self.step + done, self.sampling, self.heads[done % len(self.heads)])


def alike(draws: Sequence[Draw]) -> dict[tuple[Sampling, int], list[int]]:
    """The rows of a step by sampling and head: those with the same can be drawn at once."""
    rows: dict[tuple[Sampling, int], list[int]] = {}
    for row, draw in enumerate(draws):
        rows.setdefault((draw.sampling, draw.head), []).append(row)
    return rows


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, (float, np.floating))


def fresh_seed() -> int:
    """A new seed, short enough to type again."""
    return secrets.randbits(32)


def seeds_for(seed: int | Sequence[int] | None, count: int) -> list[int]:
    """A seed for each of `count` texts: a single seed gives text i `seed + i`; None draws a fresh one.

    Raises InputError for a seed that is not a whole number of 0..2**64-1, or too few of them.
    """
    if seed is None:
        seed = fresh_seed()
    if _is_whole(seed):
        _check_seed(seed)
        return [(int(seed) + i) & MAX_SEED for i in range(count)]
    if isinstance(seed, Sequence) and not isinstance(seed, (str, bytes)):
        if len(seed) != count:
            raise InputError(
                f"{len(seed)} seeds were given for {count} texts; give one each, or a single seed"
            )
        for index, value in enumerate(seed):
            with element("seed", index, count):
                _check_seed(value)
        return [int(value) for value in seed]
    raise InputError(f"seed must be a whole number, one for each text, or None, not {seed!r}")


def _check_seed(seed: Any) -> None:
    if not _is_whole(seed) or not 0 <= seed <= MAX_SEED:
        raise InputError(f"a seed must be a whole number from 0 to 2**64-1, not {seed!r}")


class StageNoise:
    """Standard exponential float32 noise of one stage.

    A number's bits are half a word of Philox 4x64-10 (Salmon and others 2011) with the key (seed, stage) and
    the counter (block, step, 0, 0), as numpy's `Philox` gives them; u is bits / 2**32, and the noise
    -log(1 - u).
    """

    def __init__(self, stage: Stage) -> None:
        self._bits = np.random.Philox()
        self._state = self._bits.state
        self._state["buffer_pos"] = 4  # nothing is left from before
        self._state["state"]["key"][1] = STAGES.index(stage)

    def rows(self, draws: Sequence[Draw], candidates: int) -> FloatArray:
        """Noise for a step of each sequence, `(B, candidates)`."""
        out = np.empty((len(draws), candidates), np.float32)
        for row, draw in zip(out, draws, strict=True):
            row[:] = self._signed(draw.seed, draw.step, 0, candidates)
        return _exponential(out)

    def frames(self, seed: int, step: int, first: int, frames: int, candidates: int) -> FloatArray:
        """Noise for the frames of a window from `first` on, `(frames - first, candidates)`."""
        bits = self._signed(seed, step, first * candidates, (frames - first) * candidates)
        return _exponential(bits.astype(np.float32).reshape(-1, candidates))

    def _signed(self, seed: int, step: int, first: int, count: int) -> npt.NDArray[np.int32]:
        """The bits of `count` candidates from `first` on, as int32."""
        block, skipped = divmod(first, BLOCK)
        state = self._state["state"]
        state["counter"][:] = block, step, 0, 0
        state["key"][0] = seed
        self._bits.state = self._state
        words = self._bits.random_raw(-(-(skipped + count) // 2))
        return words.astype("<u8", copy=False).view("<i4")[skipped : skipped + count]


class Noise:
    """The noise of some sequences in one stage, step by step."""

    def __init__(self, seeds: Sequence[int], stage: Stage) -> None:
        self._seeds = [int(seed) for seed in seeds]
        self._made = StageNoise(stage)

    def step(self, step: int, *shape: int) -> FloatArray:
        """Noise of one step, `(B, *shape)`; a shorter shape is a prefix of a longer one."""
        count = math.prod(shape)
        rows = [self._made.frames(seed, step, 0, 1, count) for seed in self._seeds]
        return np.stack(rows).reshape(len(rows), *shape)


def _exponential(bits: FloatArray) -> FloatArray:
    """-log(1 - u) of bits that were read as signed and rounded to float32; overwrites them.

    With v = u below 1/2 and u - 1 from there on, w = 1 - u is 1 - v or -v. What w lost by rounding is added:
    so numbers near 0, which decide races, keep all their bits.
    """
    v = np.multiply(bits, np.float32(2**-32), out=bits)
    one = np.floor(v)
    one += 1  # 1 where u is below 1/2, else 0
    w = one - v
    one -= w
    v -= one  # what w lost
    v -= np.log(w, out=w)
    return np.maximum(v, _LEAST, out=v)


def restrict(logits: FloatArray, sampling: Sampling) -> FloatArray:
    """Logits with what top_p and then top_k exclude set to minus infinity, as `bark.generation` does it.

    logits: `(..., C)`. Returned as they are when there is nothing to exclude.
    """
    if sampling.top_p is not None:
        logits = _restrict_top_p(logits, sampling.top_p)
    if sampling.top_k is not None and sampling.top_k < logits.shape[-1]:
        kth = np.partition(logits, -sampling.top_k, axis=-1)[..., -sampling.top_k, None]
        logits = np.where(logits < kth, np.float32(-np.inf), logits)
    return logits


def _restrict_top_p(logits: FloatArray, top_p: float) -> FloatArray:
    order = np.argsort(logits, axis=-1)[..., ::-1]
    ranked = np.take_along_axis(logits, order, -1)
    weights = np.exp(ranked - ranked[..., :1])
    cumulative = np.cumsum(weights / weights.sum(-1, keepdims=True), axis=-1)
    excluded = cumulative > top_p
    excluded[..., 1:] = excluded[..., :-1].copy()  # the candidate that crosses top_p stays
    excluded[..., 0] = False
    ranked[excluded] = -np.inf
    out = np.empty_like(logits)
    np.put_along_axis(out, order, ranked, -1)
    return out


def draw(logits: FloatArray, noise: FloatArray | None, sampling: Sampling) -> IntArray:
    """Choose a candidate for each row of logits `(..., C)` float32: indices `(...)` int64.

    noise: `(..., C)` standard exponential; may be None when sampling is greedy.
    Raises GenerationError when logits are not numbers.
    """
    peak = logits.max(-1, keepdims=True)
    if not np.isfinite(peak).all():
        raise GenerationError(_OVERFLOW)
    logits = restrict(logits, sampling)
    tokens: IntArray
    if sampling.greedy:
        tokens = logits.argmax(-1)
        return tokens
    if noise is None:
        raise InputError("drawing at a temperature above 0 needs noise")
    weights = logits - peak
    # an excluded candidate has no weight and arrives at infinity: never
    with np.errstate(divide="ignore", over="ignore"):
        weights /= max(np.float32(sampling.temperature), _TINY)
        np.exp(weights, out=weights)
        tokens = (noise / weights).argmin(-1)
    if sampling.stop_p is not None:
        last = weights[..., -1] / weights.sum(-1)
        tokens = np.where(last >= sampling.stop_p, logits.shape[-1] - 1, tokens)
    return tokens


def draw_tokens(
    logits: Sequence[FloatArray], draws: Sequence[Draw], noise: StageNoise, starts: Sequence[int]
) -> IntArray:
    """A token id for each row of a step, `(B,)`; NOT_A_NUMBER where a row's logits are not numbers.

    logits: by head, `(B, C)`. starts: the first id of each head.
    """
    tokens = np.empty(len(draws), np.int64)
    for (sampling, head), rows in alike(draws).items():
        own = logits[head] if len(rows) == len(draws) else logits[head][rows]
        chances = None if sampling.greedy else noise.rows([draws[row] for row in rows], own.shape[-1])
        try:
            tokens[rows] = draw(own, chances, sampling) + starts[head]
        except GenerationError:  # of one row, which the others have nothing to do with
            for place, row in enumerate(rows):
                here = slice(place, place + 1)
                tokens[row] = NOT_A_NUMBER
                if np.isfinite(own[here].max()):
                    chance = None if chances is None else chances[here]
                    tokens[row] = draw(own[here], chance, sampling)[0] + starts[head]
    return tokens


def checked_tokens(tokens: IntArray) -> IntArray:
    """The tokens. Raises GenerationError if one of them is NOT_A_NUMBER."""
    if (tokens < 0).any():
        raise GenerationError(_OVERFLOW)
    return tokens


@dataclass(frozen=True)
class Options:
    """How a text is said: Bark's own options, with its defaults.

    text_temp, waveform_temp, fine_temp: temperatures of the text, coarse and fine stage; 0 is greedy.
    top_k, top_p: restrict the text and the coarse stage. min_eos_p: speech ends when its end is at least so
    probable; None: only when it is drawn. max_gen_duration_s: ends it in any case. allow_early_stop: whether
    it can end by itself. lexicon: how words are spelled, the tables of a pronunciation file. normalise:
    English numbers and abbreviations are said in words of ours. takes: so many are made, and the best is
    kept. until: takes are made one after the other, up to the first whose error is no more. Raises InputError
    for what no stage can work with.
    """

    text_temp: float = 0.7
    waveform_temp: float = 0.7
    fine_temp: float = 0.5
    top_k: int | None = None
    top_p: float | None = None
    min_eos_p: float | None = 0.2
    max_gen_duration_s: float | None = None
    allow_early_stop: bool = True
    lexicon: dict[str, Any] | None = field(default=None, hash=False, repr=False)
    normalise: bool = False
    takes: int = 1
    until: float | None = None

    def __post_init__(self) -> None:
        if not _is_whole(self.takes) or not 1 <= self.takes <= MOST_TAKES:
            raise InputError(f"takes must be a whole number from 1 to {MOST_TAKES}, not {self.takes!r}")
        if self.until is not None and (not _is_number(self.until) or not self.until >= 0):
            raise InputError(f"until must be None or an error of at least 0, not {self.until!r}")
        _ = Sampling(self.text_temp, stop_p=self.min_eos_p), self.coarse, self.fine  # each checks itself
        if self.max_gen_duration_s is not None and not self.max_gen_duration_s >= 0:
            raise InputError(
                f"max_gen_duration_s must be None or at least 0, not {self.max_gen_duration_s!r}"
            )

    @property
    def text(self) -> Sampling:
        return Sampling(
            self.text_temp, self.top_k, self.top_p, self.min_eos_p if self.allow_early_stop else None
        )

    @property
    def coarse(self) -> Sampling:
        return Sampling(self.waveform_temp, self.top_k, self.top_p)

    @property
    def fine(self) -> Sampling:
        return Sampling(self.fine_temp)


def options_with(options: Options | None, changes: dict[str, Any]) -> Options:
    """The options, Bark's where there are none, with single ones changed. Raises TypeError for no option."""
    unknown = changes.keys() - Options.__dataclass_fields__.keys()
    if unknown:
        name = min(unknown)
        hint = nearest(name, list(Options.__dataclass_fields__))
        raise TypeError(
            f"there is no option {name!r}{hint}; options are {', '.join(Options.__dataclass_fields__)}"
        )
    return replace(options or Options(), **changes)
