"""Counting a program's steps from outside, lightly enough to be left on while it is timed.

A decode step costs two additions more. Only prefills are timed, of which there are a few a second of audio:
what is left of a stage's time are its decode steps.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from alrakis.backends.base import Backend
from alrakis.bench.record.schema import StageName, Work


@dataclass
class GPTCount:
    """What one causal model did. read_bytes: parameters and cache that its steps read. cached: positions
    before each step, summed up, of a peer that does not say what it reads."""

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
        """Bytes that a step must read, on average; None when there were none, or nobody knows."""
        return self.read_bytes // self.steps or None if self.steps else None

    def steps_read(self, parameter_bytes: int, position_bytes: int) -> None:
        """What each step of a peer reads: of parameters, and by cached position."""
        self.read_bytes = self.steps * parameter_bytes + self.cached * position_bytes


@dataclass
class Counts:
    """What all models did in one call."""

    text: GPTCount = field(default_factory=GPTCount)
    coarse: GPTCount = field(default_factory=GPTCount)
    fine: int = 0
    codec: int = 0

    def add_fine(self) -> None:
        self.fine += 1

    def stages(self, seconds: dict[str, float]) -> dict[StageName, Work]:
        """Seconds by part (`text`, `coarse`, `fine`, `codec`) as seconds and steps by stage."""
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
    """A `CausalGPT` as it is, counted."""

    def __init__(self, gpt: Any, count: GPTCount) -> None:
        self._gpt = gpt
        self._step = gpt.step
        self._count = count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gpt, name)

    def prefill(self, tokens: Any, added: Any = None, *, head: int = 0) -> Any:
        began = time.perf_counter()
        logits = self._gpt.prefill(tokens, added, head=head)
        wait_for_gpu(logits)
        self._count.add_prefill(began)
        return logits

    def step(self, tokens: Any, *, head: int = 0, upcoming: Any = None) -> Any:
        count, before = self._count, self._gpt.read_bytes
        logits = self._step(tokens, head=head, upcoming=upcoming)
        count.steps += 1
        count.read_bytes += self._gpt.read_bytes - before
        return logits


@contextmanager
def counted(backend: Backend) -> Iterator[Counts]:
    """Have a backend's models counted as long as this lasts."""
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
            delattr(backend, part)  # its class's own method is what is left


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
def counted_networks(
    text: Any, coarse: Any, fine: Any, positions: Callable[[tuple[Any, ...], dict[str, Any]], int]
) -> Iterator[Counts]:
    """Have a peer's torch modules counted as long as this lasts; its codec decodes once a call.

    positions: how many a call of the text or coarse model adds, from its arguments.
    """
    counts = Counts(codec=1)
    with ExitStack() as hooks:
        for network, count in ((text, counts.text), (coarse, counts.coarse)):
            watch = _Watch(count, positions)
            hooks.callback(network.register_forward_pre_hook(watch.before).remove)
            hooks.callback(network.register_forward_hook(watch.after, with_kwargs=True).remove)
        hooks.callback(fine.register_forward_hook(lambda *_: counts.add_fine()).remove)
        yield counts


class _Watch:
    """Hooks around the calls of one causal network."""

    def __init__(self, count: GPTCount, positions: Callable[[tuple[Any, ...], dict[str, Any]], int]) -> None:
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


def wait_for_gpu(tensor: Any) -> None:
    """Let what a GPU still has to do for a tensor be done; without a GPU there is nothing to wait for."""
    if getattr(tensor, "is_cuda", False):
        sys.modules["torch"].cuda.synchronize()
