"""Sequences in flight: texts in different voices side by side, and a text that comes while a book is read."""

import dataclasses
import statistics
import time
from typing import Any

from alrakis.engine import Engine
from alrakis.text.splitting import Chunk
from alrakis.voices import preset_names

SENTENCE = "This is the first sentence of a text that is read aloud."


@dataclasses.dataclass(frozen=True)
class FlightFigures:
    """Seconds, each thing in one engine, what is alone in turn with what is in company.

    audio_s: of all voices' texts. alone_s: what they take one at a time, from the median of some.
    together_s: side by side. late_s: a short text that comes while a book fills all slots; late_alone_s:
    the same with nothing beside it.
    """

    audio_s: float
    alone_s: float
    together_s: float
    late_s: float
    late_alone_s: float

    @property
    def gain(self) -> float:
        """How many times as much audio a second is made side by side."""
        return self.alone_s / self.together_s

    @property
    def late(self) -> float:
        """How many times as long a text takes beside the book."""
        return self.late_s / self.late_alone_s


def measure_flights(
    weights: str,
    config: str,
    threads: int,
    *,
    voices: int = 16,
    slots: int = 8,
    text_s: float = 7.5,
    late_s: float = 2.0,
    rounds: int = 3,
) -> FlightFigures:
    """Say a text in many voices, and a short one late.

    slots: the config's max_batch. text_s, late_s: the forced lengths of the texts, and of the late one.
    """
    names = [name for name in preset_names() if name.startswith("v2/")][:voices]
    forced: dict[str, Any] = {"max_gen_duration_s": text_s, "allow_early_stop": False}
    short: dict[str, Any] = {"max_gen_duration_s": late_s, "allow_early_stop": False}
    with Engine(weights, config, threads=threads, max_batch=slots) as engine:
        engine.preload()
        engine.generate(SENTENCE, max_gen_duration_s=0.5, allow_early_stop=False, silent=True)
        singles = [_timed(engine, names[i % voices], forced) for i in range(rounds - 1)]
        began = time.perf_counter()
        handles = [engine.submit(SENTENCE, name, seed=0, urgent=False, **forced) for name in names]
        audio_s = sum(handle.result().duration_s for handle in handles)
        together_s = time.perf_counter() - began
        singles.append(_timed(engine, names[-1], forced))
        beside, alone = [], []
        for _ in range(rounds):
            beside.append(_beside_a_book(engine, slots, forced, short))
            alone.append(_timed(engine, None, short))
    return FlightFigures(
        audio_s=audio_s,
        alone_s=voices * statistics.median(singles),
        together_s=together_s,
        late_s=statistics.median(beside),
        late_alone_s=statistics.median(alone),
    )


def _timed(engine: Engine, voice: str | None, options: dict[str, Any]) -> float:
    """The seconds that a text takes alone."""
    began = time.perf_counter()
    engine.generate(SENTENCE, voice, seed=0, silent=True, **options)
    return time.perf_counter() - began


def _beside_a_book(engine: Engine, slots: int, book: dict[str, Any], late: dict[str, Any]) -> float:
    """The seconds that a text takes that comes when all slots of the coarse stage are taken."""
    chunks = [Chunk(SENTENCE, "sentence", f"speaker {i}", 5.0) for i in range(2 * slots)]
    steps = 0

    def moved(part: str, seconds: float) -> None:
        nonlocal steps
        steps += part == "coarse"

    with engine.submit_long(chunks, seed=0, on_move=moved, **book):
        while steps < 50 * slots:
            time.sleep(0.01)
        return _timed(engine, None, late)
