"""The programs that a worker measures: alrakis here, the peers in modules of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from alrakis.bench.record.names import StageName
from alrakis.bench.record.schema import Work
from alrakis.bench.targets.counting import Counts, counted
from alrakis.config import load_config
from alrakis.engine import Engine
from alrakis.spec import PARTS


@dataclass(frozen=True)
class Generated:
    """What one call generated, and where its time went.

    audio_s: seconds of audio, of all texts together. step_bytes: what a coarse decode step read, on average.
    """

    audio_s: float
    stages: dict[StageName, Work]
    step_bytes: int | None

    @classmethod
    def from_counts(cls, audio_s: float, counts: Counts, seconds: Mapping[str, float]) -> "Generated":
        """seconds: by part, which are `text`, `coarse`, `fine` and `codec`."""
        return cls(audio_s, counts.stages(seconds), counts.coarse.step_bytes)


class Program(Protocol):
    """A program that has loaded its parameters."""

    def generate(self, texts: Sequence[str], seconds: float, voice: str | None) -> Generated:
        """Generate this many seconds of audio for each text. voice: a file."""
        ...


class Alrakis:
    """An engine with one config."""

    def __init__(self, weights: str, config: str, overrides: dict[str, Any]) -> None:
        self._engine = Engine(weights, config, **overrides)
        self._engine.preload()

    def go_on(self, config: str, overrides: dict[str, Any]) -> None:
        """With another config, for which nothing has to be loaded anew."""
        self._engine.change_windows(load_config(config, overrides))

    def generate(self, texts: Sequence[str], seconds: float, voice: str | None) -> Generated:
        with counted(self._engine.backend) as counts:
            results = self._engine.generate(
                texts, voice, seed=1, max_gen_duration_s=seconds, allow_early_stop=False, silent=True
            )
        timings = results[0].timings
        audio_s = sum(result.duration_s for result in results)
        return Generated.from_counts(audio_s, counts, {part: getattr(timings, f"{part}_s") for part in PARTS})
