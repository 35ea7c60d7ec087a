"""What a worker measures: a program that says texts at a forced length, alrakis or a peer."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from alrakis.bench.record.schema import StageName, Work
from alrakis.bench.targets.counting import Counts, counted
from alrakis.engine import Engine

PARTS = ("text", "coarse", "fine", "codec")


@dataclass(frozen=True)
class Made:
    """One call's audio, in seconds of all rows, and where its time went."""

    audio_s: float
    stages: dict[StageName, Work]
    step_bytes: int | None

    @classmethod
    def of(cls, audio_s: float, counts: Counts, seconds: dict[str, float]) -> "Made":
        return cls(audio_s, counts.stages(seconds), counts.coarse.step_bytes)


class Program(Protocol):
    """Loaded and ready."""

    def generate(self, texts: Sequence[str], seconds: float, voice: str | None) -> Made: ...


class Alrakis:
    """An engine with one of our configs."""

    def __init__(self, weights: str, config: str, overrides: dict[str, Any]) -> None:
        self._engine = Engine(weights, config, **overrides)
        self._engine.preload()

    def generate(self, texts: Sequence[str], seconds: float, voice: str | None) -> Made:
        with counted(self._engine.backend) as counts:
            results = self._engine.generate(
                texts, voice, seed=1, max_gen_duration_s=seconds, allow_early_stop=False, silent=True
            )
        timings = results[0].timings
        audio_s = sum(result.duration_s for result in results)
        return Made.of(audio_s, counts, {part: getattr(timings, f"{part}_s") for part in PARTS})


class Clock:
    """Seconds by part."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[part] += time.perf_counter() - began
