"""Many decode steps that ask nothing of the host: step, noise, draw, token and position stay on the device.

What a step needs is in tensors that are made once, so a device can record a step as a graph and replay it in
one launch. The host says what is to be drawn when that changes, not at every step.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from alrakis.backends.torch.cache import KVCache
from alrakis.backends.torch.compile import Compiled
from alrakis.backends.torch.cuda import Arrival, Run
from alrakis.backends.torch.device import upload
from alrakis.backends.torch.noise import exponential, signed
from alrakis.backends.torch.noise_kernel import fused
from alrakis.backends.torch.sampling import TINY, race
from alrakis.errors import BackendError
from alrakis.sampling import Draws, FloatArray, IntArray
from alrakis.spec import STAGES, Stage

STRIDE = 16  # steps whose noise is made at once, and after which the host may look
BUCKET = 256  # attention runs over a multiple of this many positions
SHORTEST = 2 * BUCKET  # and over so many at least: Bark's prefixes are longer than one bucket


class Recorder(Protocol):
    """Makes what is done again and again quicker to begin."""

    def record(self, run: Run) -> Run:
        """A function that does to the same tensors what `run` does, which may be run for that."""
        ...


class Told(NamedTuple):
    """What the host says of some slots, int64 `(R,)` each but for the last two, which are float32.

    position: where the last token runs. until: where a slot stops. step, head: of the next draw. turn: how
    much further the head of the one after it is. temperature, stop_p: as `race` takes them.
    """

    position: Any
    until: Any
    step: Any
    head: Any
    turn: Any
    seed: Any
    temperature: Any
    stop_p: Any


class Rows(NamedTuple):
    """The state of R slots on the device.

    last: `(R,)`, the token that runs next. begun: `(R,)`, the position at which the stride began. heads:
    `(R, STRIDE + 1)` of its draws. noise: `(R, STRIDE + 1, C)`. drawn: `(R, STRIDE + 1)`, its tokens. A slot
    that has stopped is at the place after its last.
    """

    told: Told
    last: Tensor
    begun: Tensor
    heads: Tensor
    noise: Tensor
    drawn: Tensor


class Heads:
    """Ranges of ids that can be drawn, as columns of logits of which the first is the lowest id.

    They begin together and differ in length, as the text model's, or are alike and lie side by side, as the
    coarse model's. Raises BackendError for others.
    """

    def __init__(self, heads: Sequence[range], device: torch.device) -> None:
        first = min(head.start for head in heads)
        self.most = max(len(head) for head in heads)
        starts, sizes = [head.start - first for head in heads], [len(head) for head in heads]
        self._together = not any(starts)
        if not self._together and (starts, len(set(sizes))) != (
            [i * self.most for i in range(len(heads))],
            1,
        ):
            raise BackendError(f"heads that neither begin together nor lie side by side: {list(heads)}")
        outside = np.arange(self.most) >= np.array(sizes)[:, None]
        self._shut = _table(np.where(outside, np.float32(-np.inf), np.float32(0)), device)
        self._first_ids = _table(np.array([head.start for head in heads]), device)
        self._lasts = _table(np.array(sizes) - 1, device)
        self._cut, self._offset = len(set(sizes)) > 1, any(head.start for head in heads)

    def candidates(self, logits: Tensor, rows: Tensor, head: Tensor) -> Tensor:
        """The logits `(R, C)` of each row's head `(R,)`; minus infinity after a shorter head's last.

        rows: 0 to R - 1.
        """
        if not self._together:
            return logits.view(len(rows), -1, self.most)[rows, head]
        return logits + self._shut[head] if self._cut else logits

    def last(self, head: Tensor) -> Tensor:
        """The last candidate of each head, `(R, 1)`."""
        return self._lasts[head][:, None]

    def first_id(self, head: Tensor) -> Tensor | int:
        """The id of each head's first candidate, `(R,)`."""
        return self._first_ids[head] if self._offset else 0


class Steps:
    """Steps of the slots of one model, up to STRIDE of them between two looks of the host.

    step: (tokens `(R,)`, positions `(R,)`, 0 to R - 1, cache by layer, seen) to float32 logits `(R, N)` over
    the ids of all heads. last: `(slots,)`, the tokens that run next. filled: `(slots,)`, the positions that
    each holds; whoever asks for steps keeps it right. seen: the mask that a step takes, with a column a
    position. compiler: compile the steps with it. recorder: record them, for every range of slots that is
    run together, and every length of attention.

    A range's slots that do not move run along, and leave nothing behind: their next token writes over what
    they write.
    """

    def __init__(
        self,
        step: Callable[..., Tensor],
        cache: KVCache,
        stage: Stage,
        heads: Sequence[range],
        last: Tensor,
        filled: IntArray,
        seen: Tensor,
        *,
        recorder: Recorder | None = None,
        compiler: str | None = None,
    ) -> None:
        self._network, self._cache, self._recorder = step, cache, recorder
        self._stage = STAGES.index(stage)
        self._stops = stage == "text"  # no other stage has a candidate that ends it
        self._n_heads = len(heads)
        device, self._last, self._filled, self._seen = last.device, last, filled, seen
        self._heads = Heads(heads, device)
        slots = cache.slots
        self._known = _idle(slots)  # what the device has, without looking
        self._whole, self._decimal = (_table(values, device) for values in _stacked(self._known))
        self._told = Told(*self._whole, *self._decimal)
        self._begun = torch.zeros_like(last)
        self._head_table = torch.zeros(slots, STRIDE + 1, dtype=torch.int64, device=device)
        self._noise = torch.zeros(slots, STRIDE + 1, self._heads.most, device=device)
        self._drawn = torch.zeros_like(self._head_table)
        self._index = torch.arange(slots, device=device)
        self._places = torch.arange(STRIDE + 1, device=device)
        self._ready: dict[tuple[int, ...], Run] = {}
        self._begin: Callable[..., Any] = self._begin_stride
        self._step: Callable[..., Any] = self._one_step
        self._exponential = exponential if compiler else fused(self._stage, device, exponential)
        if compiler is not None:
            self._begin = Compiled(self._begin_stride, dynamic=False, compiler=compiler)
            self._step = Compiled(self._one_step, dynamic=False, compiler=compiler)

    def takes(self, draws: Draws) -> bool:
        """Whether these can be drawn here: what top_k and top_p leave is found elsewhere, step by step."""
        sampling = draws.sampling
        plain = sampling.top_k is None and sampling.top_p is None
        stops = sampling.stop_p is None or sampling.greedy or self._stops
        return plain and stops and self._turn(draws) is not None

    def advance(self, slots: Sequence[int], draws: Sequence[Draws]) -> Arrival:
        """Run and draw tokens in each of these slots, STRIDE of them or as many as are left.

        Returns `(B, STRIDE + 1)`; those after a row's last mean nothing.
        """
        run = self.together(slots)
        longest = max(min(STRIDE, own.count) for own in draws)
        length = bucket(int(self._filled[list(slots)].max()) + longest, self._cache.block_size)
        begin, step = self._beginning(run), self._stepping(run, length)
        self._tell(slots, draws, run)
        known, self._known = self._known, _idle(0)  # whatever breaks off here, the next one says it all
        begin()
        for _ in range(longest):
            step()
        self._known = self._after(known, slots, draws)
        return Arrival(self._drawn[run])[[slot - run.start for slot in slots]]

    def together(self, slots: Sequence[int]) -> slice:
        """The slots that run with these: the last one alone, or a power of two of them from the first on."""
        count = self._cache.slots
        if list(slots) == [count - 1]:
            return slice(count - 1, count)
        return slice(0, min(1 << slots[-1].bit_length(), count))

    def recordings(self) -> list[tuple[int, ...]]:
        """Everything that can be recorded: ranges of slots, alone and with each length of attention."""
        count, most = self._cache.slots, self._cache.block_size
        sizes = sorted({min(1 << n, count) for n in range(count.bit_length() + 1)})
        ranges = [(0, size) for size in sizes] + ([(count - 1, count)] if count > 1 else [])
        lengths = sorted({bucket(length, most) for length in range(1, most + 1)})
        return ranges + [(*run, length) for run in ranges for length in lengths]

    def record(self, which: tuple[int, ...]) -> None:
        """Record one of `recordings` now; what is not is recorded when it is first needed."""
        run = slice(*which[:2])
        if len(which) == 2:
            self._beginning(run)
        else:
            self._stepping(run, which[2])

    def _beginning(self, run: slice) -> Run:
        key = run.start, run.stop
        if key not in self._ready:
            rows = self._rows(run)
            self._ready[key] = self._recorded(lambda: self._begin(rows))
        return self._ready[key]

    def _stepping(self, run: slice, length: int) -> Run:
        key = run.start, run.stop, length
        if key not in self._ready:
            rows, views, seen = self._rows(run), self._cache.views(run), self._seen[:, :length]
            self._ready[key] = self._recorded(lambda: self._step(rows, views, seen))
        return self._ready[key]

    def _recorded(self, run: Run) -> Run:
        """Recorded while all slots stand still, so that runs for the recorder's sake change nothing."""
        if self._recorder is None:
            return run
        still = _idle(self._cache.slots)
        self._upload(still._replace(position=self._filled.copy(), until=self._filled.copy()))
        return self._recorder.record(run)

    def _rows(self, run: slice) -> Rows:
        told = Told(*(values[run] for values in self._told))
        state = self._last, self._begun, self._head_table, self._noise, self._drawn
        return Rows(told, *(values[run] for values in state))

    def _begin_stride(self, rows: Rows) -> None:
        """What STRIDE steps need beside their tokens: each row's heads and noise, from where it stands."""
        told = rows.told
        moved = told.position - rows.begun
        told.step.add_(moved)
        told.head.add_(moved * told.turn).remainder_(self._n_heads)
        rows.begun.copy_(told.position)
        turns = self._places * told.turn[:, None]
        rows.heads.copy_((told.head[:, None] + turns).remainder_(self._n_heads))
        steps = told.step[:, None] + self._places[:STRIDE]
        noise = self._exponential(told.seed[:, None], self._stage, steps, 0, self._heads.most)
        drawn = told.temperature[:, None, None] > TINY  # else the likeliest is taken, whatever its noise
        rows.noise[:, :STRIDE].copy_(torch.where(drawn, noise, 1.0))
        rows.drawn.zero_()

    def _one_step(self, rows: Rows, layers: list[Tensor], seen: Tensor) -> None:
        """A step of all rows: run the last token, draw the next; rows that have stopped stay as they are."""
        told, place = rows.told, rows.told.position - rows.begun
        index = self._index[: len(place)]
        head = rows.heads[index, place]
        logits = self._network(rows.last, told.position, index, layers, seen)
        stop_p, last = (told.stop_p[:, None], self._heads.last(head)) if self._stops else (None, None)
        tokens = race(
            self._heads.candidates(logits, index, head),
            rows.noise[index, place],
            told.temperature[:, None],
            stop_p,
            last,
            self._heads.first_id(head),
        )
        running = told.position < told.until
        rows.last.copy_(torch.where(running, tokens, rows.last))
        rows.drawn.scatter_(1, place[:, None], rows.last[:, None])
        told.position.add_(running)

    def _tell(self, slots: Sequence[int], draws: Sequence[Draws], run: slice) -> None:
        """Say what is to be drawn, if the device does not go on with just that."""
        known = self._known if len(self._known.position) else _idle(self._cache.slots)
        wanted = _copied(known)
        wanted.position[run] = wanted.until[run] = self._filled[run]
        for slot, own in zip(slots, draws, strict=True):
            sampling = own.sampling
            stop_p = np.inf if sampling.stop_p is None or sampling.greedy else sampling.stop_p
            wanted.until[slot] += own.count
            wanted.step[slot], wanted.seed[slot] = signed(own.step), signed(own.seed)
            wanted.head[slot], wanted.turn[slot] = own.heads[0], self._turn(own)
            wanted.temperature[slot] = max(sampling.temperature, TINY)
            wanted.stop_p[slot] = stop_p
        if not all(map(np.array_equal, wanted, self._known)):
            self._upload(wanted)

    def _upload(self, wanted: Told) -> None:
        whole, decimal = _stacked(wanted)
        self._whole.copy_(upload(whole, self._whole.device))
        self._decimal.copy_(upload(decimal, self._decimal.device))
        self._begun.copy_(self._told.position)
        self._known = wanted

    def _after(self, known: Told, slots: Sequence[int], draws: Sequence[Draws]) -> Told:
        """Where the device stands after a stride."""
        known = _copied(known)
        for slot, own in zip(slots, draws, strict=True):
            count = min(STRIDE, own.count)
            known.position[slot] += count
            known.step[slot] += count
            known.head[slot] = (known.head[slot] + count * known.turn[slot]) % self._n_heads
        return known

    def _turn(self, draws: Draws) -> int | None:
        """How much further the next head is each time; None where they do not go on evenly."""
        heads, count = draws.heads, len(draws.heads)
        turn = (heads[1 % count] - heads[0]) % self._n_heads
        even = all((head + turn) % self._n_heads == heads[(i + 1) % count] for i, head in enumerate(heads))
        return turn if even else None


def bucket(length: int, most: int) -> int:
    """How many positions attention runs over to reach so many."""
    return min(max(SHORTEST, -(-length // BUCKET) * BUCKET), most)


def _idle(slots: int) -> Told:
    """Slots that stand still."""
    values: list[Any] = [np.zeros(slots, np.int64) for _ in range(6)]
    values += [np.ones(slots, np.float32), np.full(slots, np.inf, np.float32)]
    return Told(*values)


def _copied(told: Told) -> Told:
    return Told(*(values.copy() for values in told))


def _stacked(told: Told) -> tuple[IntArray, FloatArray]:
    """Whole numbers `(6, slots)` and the others `(2, slots)`: two copies instead of eight."""
    return np.stack(told[:-2]), np.stack(told[-2:])


def _table(values: Any, device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(values)).to(device)
