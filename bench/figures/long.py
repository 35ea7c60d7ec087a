"""Long texts: chunks in a batch and one at a time, the first sound of a stream, and memory over minutes."""

import contextlib
import dataclasses
import time
from typing import Any

from alrakis.bench.measure.memory import peak_rss_bytes
from alrakis.engine import Engine
from alrakis.text.splitting import Chunk

SENTENCE = "This is the first sentence of a text that is read aloud."


@dataclasses.dataclass(frozen=True)
class LongFigures:
    """Seconds that a text takes.

    audio_s: the length of its audio. wall_s: by how many chunks are made at once. stream_s: until the first
    sound of a stream. alone_s: until a chunk is generated alone.
    """

    audio_s: float
    wall_s: dict[int, float]
    stream_s: float
    alone_s: float


def measure_long(
    weights: str, config: str, threads: int, *, chunks: int = 8, chunk_s: float = 7.5, alone: int = 3
) -> LongFigures:
    """Generate a text of equal chunks: all at once, as a stream, and a few of them alone.

    Each chunk has a speaker of its own, so that no chunk waits for the voice of another. What the text takes
    one chunk at a time is worked out from the median of the chunks alone.
    """
    text = [Chunk(SENTENCE, "sentence", f"speaker {i}", chunk_s) for i in range(chunks)]
    forced: dict[str, Any] = {"max_gen_duration_s": chunk_s, "allow_early_stop": False}
    with Engine(weights, config, threads=threads, max_batch=chunks) as engine:
        engine.preload()
        engine.generate(SENTENCE, max_gen_duration_s=0.5, allow_early_stop=False, silent=True)
        singles = [_alone_s(engine, i, forced) for i in range(alone - 1)]
        began = time.perf_counter()
        pieces = engine.generate_long(text, seed=0, **forced).pieces
        together_s = time.perf_counter() - began
        stream_s = _first_sound_s(engine, text, forced)
        singles.append(_alone_s(engine, alone, forced))
    alone_s = sorted(singles)[alone // 2]
    return LongFigures(
        audio_s=sum(piece.result.duration_s for piece in pieces),
        wall_s={1: chunks * alone_s, chunks: together_s},
        stream_s=stream_s,
        alone_s=alone_s,
    )


def _alone_s(engine: Engine, seed: int, forced: dict[str, Any]) -> float:
    return engine.generate(SENTENCE, seed=seed, silent=True, **forced).timings.total_s


def _first_sound_s(engine: Engine, text: list[Chunk], forced: dict[str, Any]) -> float:
    began = time.perf_counter()
    with contextlib.closing(engine.stream(text, seed=0, **forced)) as stream:
        next(stream)
        return time.perf_counter() - began


@dataclasses.dataclass(frozen=True)
class MemoryFigures:
    """Peaks of resident memory: after early_s seconds of audio, and after all audio_s seconds."""

    audio_s: float
    early_bytes: int
    early_s: float
    peak_bytes: int

    @property
    def growth_bytes(self) -> int:
        return self.peak_bytes - self.early_bytes


def measure_memory(
    weights: str, config: str, threads: int, minutes: float, early_minutes: float = 3.0, chunk_s: float = 10.0
) -> MemoryFigures:
    """Stream some minutes of audio. Batches reach their full size within the early minutes."""
    count = round(minutes * 60 / chunk_s) + 1
    text = [Chunk(f"Sentence number {i}.", "sentence", None, chunk_s) for i in range(count)]
    audio_s, early_s, early_bytes = 0.0, 0.0, 0
    with Engine(weights, config, threads=threads) as engine:
        for piece in engine.stream(text, seed=1, max_gen_duration_s=chunk_s, allow_early_stop=False):
            audio_s += piece.result.duration_s
            if audio_s >= early_minutes * 60 and not early_bytes:
                early_s, early_bytes = audio_s, peak_rss_bytes()
        return MemoryFigures(audio_s, early_bytes, early_s, peak_rss_bytes())
