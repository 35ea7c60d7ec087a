"""A server's requests beside each other, and its first byte against `Engine.stream`."""

import functools
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from alrakis.bench.figures.running_server import Answer, ask, beside, whole
from alrakis.engine import Engine

SENTENCE = "This is a sentence that somebody waits for."
BOOK = "This is the first sentence of a text that is read aloud. " * 12
BYTES_A_SECOND = 48_000


@dataclass(frozen=True)
class ServingFigures:
    """Medians of seconds, each in turn with what it is compared with.

    apart_s, together_s: short requests one after another, and at once. late_alone_s, late_s: a short request
    alone, and while a long one is being answered. stream_s, first_s: until the first piece of
    `Engine.stream`, and until the first byte of an answer.
    """

    audio_s: float
    apart_s: float
    together_s: float
    late_alone_s: float
    late_s: float
    stream_s: float
    first_s: float

    @property
    def gain(self) -> float:
        """How many times the audio a second is made at once."""
        return self.apart_s / self.together_s

    @property
    def late(self) -> float:
        """How many times as long a short request takes beside a long one."""
        return self.late_s / self.late_alone_s

    @property
    def first(self) -> float:
        """The first byte's time over that of `stream`."""
        return self.first_s / self.stream_s


def measure_serving(
    weights: str, config: str, threads: int, *, requests: int = 8, text_s: float = 2.0, rounds: int = 3
) -> ServingFigures:
    """Ask a server over one engine. text_s: the forced length of a chunk of any text."""
    with Engine(weights, config, threads=threads) as engine:
        said = engine.submit_long
        forced: dict[str, Any] = {"max_gen_duration_s": text_s, "allow_early_stop": False}
        engine.submit_long = functools.partial(said, **forced)  # type: ignore[method-assign]
        body = {"input": SENTENCE, "seed": 0, "response_format": "pcm"}
        with beside(engine) as port:
            whole(port, body)
            found: dict[str, list[float]] = {}
            for number in range(rounds):
                for name, seconds in _round(engine, port, body, requests, forced, number):
                    found.setdefault(name, []).append(seconds)
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    return ServingFigures(**medians)


def _round(
    engine: Engine, port: int, body: dict[str, Any], requests: int, forced: dict[str, Any], number: int
) -> list[tuple[str, float]]:
    bodies = [{**body, "seed": number * requests + i} for i in range(requests)]
    apart_s, answers = _timed(lambda: [whole(port, one) for one in bodies])
    with ThreadPoolExecutor(requests) as pool:
        together_s, _ = _timed(lambda: list(pool.map(functools.partial(whole, port), bodies)))
    late_alone_s, _ = _timed(lambda: whole(port, body))
    first_s = whole(port, {**body, "input": BOOK}).first_s
    stream = engine.stream(BOOK, seed=0, **forced)
    stream_s, _ = _timed(lambda: next(stream))
    stream.close()
    return [
        ("audio_s", sum(len(answer.body) for answer in answers) / BYTES_A_SECOND),
        ("apart_s", apart_s),
        ("together_s", together_s),
        ("late_alone_s", late_alone_s),
        ("late_s", _beside_a_book(port, body)),
        ("stream_s", stream_s),
        ("first_s", first_s),
    ]


def _beside_a_book(port: int, body: dict[str, Any]) -> float:
    """The seconds that a short request takes while a long one is being answered."""
    begun, over = threading.Event(), threading.Event()

    def part(read: int) -> bool:
        begun.set()
        return not over.is_set()

    book = threading.Thread(target=ask, args=(port, {**body, "input": BOOK}), kwargs={"part": part})
    book.start()
    begun.wait()
    seconds, _ = _timed(lambda: whole(port, body))
    over.set()
    book.join()
    return seconds


def _timed(work: Any) -> tuple[float, list[Answer] | Any]:
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made
