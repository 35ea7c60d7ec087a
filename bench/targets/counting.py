"""Counts the steps of a program from outside, cheaply enough to do it while the program is timed.

A decode step is only counted. Only prefills are timed, of which there are a few for a second of audio; the
rest of a stage's time is taken by its decode steps.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from alrakis.backends.base import Backend
from alrakis.bench.record.names import StageName
from alrakis.bench.record.schema import Work

_Positions = Callable[[tuple[Any, ...], dict[str, Any]], int]


@dataclass
class GPTCount:
    """What one causal model did in a call.

    read_bytes: parameters and cache that its steps read. cached: for a peer, which does not report that, the
    sum over all steps of the positions in the cache.
    """

    prefills: int = 0
    prefill_s: float = 0.0
    steps: int = 0
    read_bytes: int = 0
    cached: int = 0

    def add_prefill(self, began_s: float) -> None:
        self.prefills += 1
        self.prefill_s += time.perf_counter() - began_s

    @property
    def step_bytes(self) -> int | None:
        """Bytes that a step must read, on average; None if there were no steps, or it is not known."""
        return self.read_bytes // self.steps or None if self.steps else None

    def set_read_bytes(self, parameter_bytes: int, position_bytes: int) -> None:
        """Work out what the steps read: each all parameters, and the cache of all positions before it."""
        self.read_bytes = self.steps * parameter_bytes + self.cached * position_bytes


@dataclass
class Counts:
    """What all models did in a call. fine: passes. codec: decodes."""

    text: GPTCount = field(default_factory=GPTCount)
    coarse: GPTCount = field(default_factory=GPTCount)
    fine: int = 0
    codec: int = 0

    def add_fine(self) -> None:
        self.fine += 1

    def stages(self, seconds: Mapping[str, float]) -> dict[StageName, Work]:
        """Seconds and steps of each stage. seconds: by part (`text`, `coarse`, `fine`, `codec`)."""
        text, coarse = self.text, self.coarse
        return {
            "semantic_prefill": Work(seconds=text.prefill_s, steps=text.prefills),
            "semantic_decode": Work(seconds=max(0.0, seconds["text"] - text.prefill_s), steps=text.steps),
            "coarse_prefill": Work(seconds=coarse.prefill_s, steps=coarse.prefills),
            "coarse_decode": Work(seconds=max(0.0, seconds["coarse"] - coarse.prefill_s), steps=coarse.steps),
            "fine": Work(seconds=seconds["fine"], steps=self.fine),
            "codec": Work(seconds=seconds["codec"], steps=self.codec),
        }


class CountedGPT:
    """A `CausalGPT` whose prefills and steps are counted."""

    def __init__(self, gpt: Any, count: GPTCount) -> None:
        self._gpt = gpt
        self._step = gpt.step
        self._count = count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gpt, name)

    def admit(self, slots: Any, tokens: Any, added: Any = None) -> Any:
        began = time.perf_counter()
        logits = self._gpt.admit(slots, tokens, added)
        wait_for_gpu(logits[0])
        self._count.add_prefill(began)
        return logits

    def enter(self, slots: Any, tokens: Any, added: Any = None) -> None:
        began = time.perf_counter()
        self._gpt.enter(slots, tokens, added)
        wait_for_gpu(self._gpt)
        self._count.add_prefill(began)

    def advance(self, slots: Any, draws: Any) -> Any:
        count, before = self._count, self._gpt.read_bytes
        drawn = self._gpt.advance(slots, draws)
        count.steps += max(min(self._gpt.stride, own.count) for own in draws)
        count.read_bytes += self._gpt.read_bytes - before
        return drawn

    def step(self, slots: Any, ahead: Any = ()) -> Any:
        count, before = self._count, self._gpt.read_bytes
        logits = self._step(slots, ahead)
        count.steps += 1
        count.read_bytes += self._gpt.read_bytes - before
        return logits


@contextmanager
def counted(backend: Backend) -> Iterator[Counts]:
    """Count what the models of a backend do inside the `with` block."""
    counts = Counts()
    wraps: dict[str, Callable[[Any], Any]] = {
        "text": lambda gpt: CountedGPT(gpt, counts.text),
        "coarse": lambda gpt: CountedGPT(gpt, counts.coarse),
        "fine": lambda gpt: _CountedFine(gpt, counts),
        "codec": lambda codec: _CountedCodec(codec, counts),
    }
    for part, wrap in wraps.items():
        setattr(backend, part, _opening(getattr(backend, part), wrap))
    try:
        yield counts
    finally:
        for part in wraps:
            delattr(backend, part)  # uncovers the method of its class


def _opening(open_part: Callable[[], Any], wrap: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: wrap(open_part())


class _CountedFine:
    def __init__(self, gpt: Any, counts: Counts) -> None:
        self._gpt, self._counts = gpt, counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gpt, name)

    def predict(self, *arguments: Any) -> None:
        self._counts.fine += 1
        self._gpt.predict(*arguments)


class _CountedCodec:
    def __init__(self, codec: Any, counts: Counts) -> None:
        self._codec, self._counts = codec, counts

    def decode(self, codes: Any) -> Any:
        self._counts.codec += 1
        return self._codec.decode(codes)


@contextmanager
def counted_networks(text: Any, coarse: Any, fine: Any, positions: _Positions) -> Iterator[Counts]:
    """Count what a peer's torch modules do inside the `with` block; its codec decodes once in a call.

    positions: from the arguments and keyword arguments of a call of the text or coarse model, how many
    positions it adds to the cache.
    """
    counts = Counts(codec=1)
    with ExitStack() as hooks:
        for network, count in ((text, counts.text), (coarse, counts.coarse)):
            counter = _ForwardCounter(count, positions)
            hooks.callback(network.register_forward_pre_hook(counter.before).remove)
            hooks.callback(network.register_forward_hook(counter.after, with_kwargs=True).remove)
        hooks.callback(fine.register_forward_hook(lambda *_: counts.add_fine()).remove)
        yield counts


class _ForwardCounter:
    """Hooks before and after each call of one causal network."""

    def __init__(self, count: GPTCount, positions: _Positions) -> None:
        self._count, self._positions = count, positions
        self._began_s = 0.0
        self._cached = 0

    def before(self, *_: Any) -> None:
        self._began_s = time.perf_counter()

    def after(self, _: Any, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        positions = self._positions(arguments, named)
        if positions == 1:
            self._count.steps += 1
            self._count.cached += self._cached
            self._cached += 1
        else:
            wait_for_gpu(output[0])
            self._count.add_prefill(self._began_s)
            self._cached = positions


def wait_for_gpu(owner: Any) -> None:
    """Wait until a GPU has finished its work, if a tensor or a model is on one."""
    if getattr(getattr(owner, "device", None), "type", "") == "cuda":
        sys.modules["torch"].cuda.synchronize()
