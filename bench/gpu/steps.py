"""Decode steps, prefixes, passes of the fine model and decodes of the codec, each by itself."""

import functools
import time
from typing import Any

import numpy as np

from alrakis.backends.protocols import strides
from alrakis.bench.gpu.figures import (
    Figures,
    Options,
    Values,
    clock,
    device_time,
    peak,
    reset_peak,
    synchronize,
)
from alrakis.bench.gpu.kept import Kept
from alrakis.engine import Engine
from alrakis.sampling import Draw, Draws, Sampling
from alrakis.spec import Stage

ROWS = (1, 8, 32)
POSITION = 520  # about the middle of what a coarse window sees
SAMPLING = Sampling(0.7)


def measure(figures: Figures) -> None:
    options = figures.options
    rows_of = ROWS if options.cuda else (1, 2)
    weights = Kept(f"synthetic-{options.size}")
    with _engine(options, weights, max_batch=rows_of[-1]) as engine:
        for stage in ("coarse", "text"):
            figures.measure(
                f"{stage}: loading and recording", functools.partial(_load, options, engine, stage)
            )
            for rows in rows_of:
                one = functools.partial(_decode, options, engine, stage, rows)
                figures.measure(f"{stage} steps, {rows} x", one, 2.0)
        for length in (257, 887) if options.cuda else (257,):
            for rows in rows_of[:: len(rows_of) - 1]:
                one = functools.partial(prefix, options, engine, rows, length)
                figures.measure(f"coarse prefix of {length}, {rows} x", one, 2.0)
        engine.unload(["text", "coarse"])
        for rows in rows_of[:2]:
            figures.measure(f"fine window, {rows} x", functools.partial(fine, options, engine, rows), 2.0)
        engine.unload(["fine"])
        for rows in rows_of:
            figures.measure(f"codec, {rows} x", functools.partial(codec, options, engine, rows), 2.0)


def compiled(figures: Figures) -> None:
    """The same steps after torch.compile: what that takes, and what it gains."""
    options = figures.options
    if not options.cuda:
        figures.measure("compiled", lambda: {"summary": "left out: takes a CPU half a minute"})
        return
    import torch

    from alrakis.backends.torch.cuda import Graphs
    from alrakis.backends.torch.gpt import TorchCausalGPT

    weights, device = Kept(f"synthetic-{options.size}"), torch.device(options.device)
    own = weights.stage("coarse"), weights.layout.coarse_heads, device, torch.bfloat16
    gpt = TorchCausalGPT(*own, compile=True, recorder=Graphs(device))
    # of all that would be recorded when a stage is loaded, the two graphs that these steps need
    first = functools.partial(decode, options, gpt, 1, 3 * gpt.stride)
    if figures.measure("compiled coarse steps, 1 x, compiling", first, 20.0):
        figures.measure("compiled coarse steps, 1 x", functools.partial(decode, options, gpt, 1), 2.0)


def _engine(options: Options, weights: Kept, **overrides: Any) -> Engine:
    return Engine(weights, "gpu-bf16", device=options.device, **overrides)


def _load(options: Options, engine: Engine, stage: Stage) -> Values:
    reset_peak(options)
    return {"s": round(clock(options, lambda: engine.preload([stage])), 2), **peak(options)}


def entered(gpt: Any, rows: int, position: int = POSITION) -> range:
    """Slots in which a prefix of so many tokens has been run."""
    slots = range(rows)
    tokens = np.full((rows, position), gpt.heads[0].start, np.int64)
    if strides(gpt):
        gpt.enter(slots, tokens)
    else:
        gpt.draw(gpt.admit(slots, tokens), slots, [Draw(row, 0, SAMPLING) for row in range(rows)])
    return slots


def drawn(gpt: Any, slots: range, done: int, count: int) -> Any:
    """So many more tokens in each slot, as a sequence in flight asks for them; not read."""
    if strides(gpt):
        tokens = None
        for begun in range(0, count, gpt.stride):
            draws = [Draws(row, done + begun, SAMPLING, (0,), count - begun) for row in slots]
            tokens = gpt.advance(slots, draws)
        return tokens
    for step in range(done, done + count):
        tokens = gpt.draw(gpt.step(slots), slots, [Draw(row, step, SAMPLING) for row in slots])
    return tokens


def _decode(options: Options, engine: Engine, stage: Stage, rows: int) -> Values:
    gpt = getattr(engine.backend, stage)()
    return decode(options, gpt, rows, 15 * gpt.stride if options.cuda else 4)


def decode(options: Options, gpt: Any, rows: int, count: int = 15 * 16) -> Values:
    """Microseconds of a step with its draw: of the first stride, of later ones, and of the host alone.

    The host alone: until it has told the device everything, which goes on. count: of steps in all.
    """
    first = 16 if options.cuda else 2
    slots = entered(gpt, rows)
    cold_s = clock(options, lambda: drawn(gpt, slots, 0, first))
    synchronize(options)
    began = time.perf_counter()
    tokens = drawn(gpt, slots, first, count - first)
    told_s = time.perf_counter() - began
    synchronize(options)
    warm_s = time.perf_counter() - began
    gpt.read(tokens)
    for slot in slots:
        gpt.leave(slot)
    return {
        "rows": rows,
        "cold_us": round(1e6 * cold_s / first, 1),
        "us": round(1e6 * warm_s / (count - first), 1),
        "host_us": round(1e6 * told_s / (count - first), 1),
    }


def prefix(options: Options, engine: Engine, rows: int, length: int) -> Values:
    """Milliseconds of a prefix: on the device, and of the host alone."""
    gpt = engine.backend.coarse()
    began = time.perf_counter()
    entered(gpt, rows, length)
    told_s = time.perf_counter() - began
    device_s = device_time(options, lambda: entered(gpt, rows, length), 5 if options.cuda else 1)
    return {"rows": rows, "ms": round(1e3 * device_s, 2), "host_ms": round(1e3 * told_s, 2)}


def fine(options: Options, engine: Engine, rows: int) -> Values:
    """Milliseconds of a pass over 1024 frames, with its noise and draw."""
    gpt = engine.backend.fine()
    frames = 1024 if options.cuda else 64
    codes = np.zeros((rows, frames, 8), np.int64)

    def window() -> None:
        held = gpt.begin(codes, 2)
        for codebook in range(2, 8):
            draws = [Draw(row, codebook, Sampling(0.5)) for row in range(rows)]
            gpt.predict(held, codebook, np.zeros(rows, np.int64), draws)
        gpt.codes(held)

    cold_s = clock(options, window)
    warm_s = min(clock(options, window) for _ in range(3 if options.cuda else 1))
    return {"rows": rows, "cold_ms": round(1e3 * cold_s / 6, 2), "ms": round(1e3 * warm_s / 6, 2)}


def codec(options: Options, engine: Engine, rows: int) -> Values:
    """Milliseconds of a decode of 13 s for each row."""
    net, codes = engine.backend.codec(), np.zeros((rows, 8, 975 if options.cuda else 20), np.int64)
    cold_s = clock(options, lambda: net.decode(codes))
    warm_s = min(clock(options, lambda: net.decode(codes)) for _ in range(3 if options.cuda else 1))
    return {"rows": rows, "cold_ms": round(1e3 * cold_s, 1), "ms": round(1e3 * warm_s, 1)}
