"""A server's life in a few minutes: many clients, some of whom leave, read slowly or send rubbish."""

import http.client
import io
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soundfile

from alrakis.bench.figures.running_server import ask, get, metric, whole
from alrakis.long.pieces import Piece
from alrakis.serve.asked import Format
from alrakis.serve.encoders import encode, open_encoder

RATE_HZ = 24_000
FORMATS: tuple[Format, ...] = ("pcm", "wav", "mp3", "opus", "flac")
TEXTS = ("Yes.", "I like pizza.", "It is late.", "Good morning.\n\nIt is late.")
LONG = "It is late, and it is going to rain. " * 10
VOICES = ("demo/slt", "demo/rms")
SEEDS = 2
RUBBISH = (
    b"\x16\x03\x01\x02",
    b"POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{",
    b"GET",
)
HEALTH_S = 0.05  # between two looks at /health
SLOW_S = 0.1  # a slow client waits between two parts: he reads more slowly than one listens
LOOK_S = 0.01  # between two looks at whether slots are free
FREE_S = 10.0  # for which it looks
LEAVE_S = 1.0  # in which clients leave whose slots are looked for

Alone = Callable[[str, str, int], Sequence[Piece]]


@dataclass
class SoakFigures:
    """What came of some requests.

    wrong: answers that are not what the text and seed sound like alone. freed_s: from when all clients have
    left, in the middle of their texts, until no slot is taken; a figure for each time they did. health_s: how
    long each look at /health took.
    """

    requests: int = 0
    whole: int = 0
    cut: int = 0
    wrong: int = 0
    rubbish: int = 0
    wall_s: float = 0.0
    slots_left: float = 0.0
    queued_left: float = 0.0
    grown_bytes: float = 0.0
    freed_s: list[float] = field(default_factory=list)
    health_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Request:
    text: str
    voice: str
    seed: int
    format: Format
    stream: bool
    cut: float | None  # how much of the answer is waited for, as a share

    @property
    def body(self) -> dict[str, Any]:
        return {
            "input": self.text,
            "voice": self.voice,
            "seed": self.seed,
            "response_format": self.format,
            "stream": self.stream,
        }


def soak(
    port: int, alone: Alone, *, requests: int = 200, clients: int = 8, leaving: int = 10, seed: int = 0
) -> SoakFigures:
    """Ask a server of the demo voice. alone: the pieces of a text, in a voice and with a seed.

    leaving: how often all clients leave at once, at the end.
    """
    chance = random.Random(seed)
    planned = _plan(requests, chance)
    expected = {request: _expected(request, alone) for request in planned}
    figures, over = SoakFigures(requests=requests), threading.Event()
    looking = threading.Thread(target=_look, args=(port, figures, over))
    spoiling = threading.Thread(target=_spoil, args=(port, figures, over))
    for thread in (looking, spoiling):
        thread.start()
    began = time.perf_counter()
    warm = max(clients, requests // 4)
    try:
        with ThreadPoolExecutor(clients) as pool:

            def one(number: int) -> None:
                _one(port, planned[number], expected[planned[number]], figures, slow=number % clients == 0)

            list(pool.map(one, range(warm)))
            before = metric(port, "process_resident_memory_bytes")
            list(pool.map(one, range(warm, requests)))
        _settle(port, figures)
        figures.freed_s = [_left(port, clients, chance) for _ in range(leaving)]
        figures.wall_s = time.perf_counter() - began
    finally:
        over.set()
        looking.join()
        spoiling.join()
    figures.grown_bytes = metric(port, "process_resident_memory_bytes") - before
    return figures


def _plan(count: int, chance: random.Random) -> list[_Request]:
    return [
        _Request(
            chance.choice(TEXTS),
            chance.choice(VOICES),
            chance.randrange(SEEDS),
            chance.choice(FORMATS),
            chance.random() < 0.7,
            chance.random() if number % 3 == 0 else None,
        )
        for number in range(count)
    ]


def _expected(request: _Request, alone: Alone) -> bytes:
    """The file that the text alone becomes, written as a stream is where it is one."""
    pieces = alone(request.text, request.voice, request.seed)
    if not request.stream or len(pieces) == 1:
        return encode(request.format, np.concatenate([piece.audio for piece in pieces]), RATE_HZ)
    encoder = open_encoder(request.format, RATE_HZ, stream=True)
    return b"".join([*(encoder.write(piece.audio) for piece in pieces), encoder.end()])


def _one(port: int, request: _Request, expected: bytes, figures: SoakFigures, *, slow: bool) -> None:
    """Ask for one answer. Who leaves early leaves a stream after some bytes, and else after some time."""
    most = None if request.cut is None else int(request.cut * len(expected))

    def part(read: int) -> bool:
        if slow:
            time.sleep(SLOW_S)
        return most is None or read < most

    try:
        if request.cut is not None and not request.stream:
            answer = ask(port, request.body, part=part, patience_s=max(0.01, request.cut))
        else:
            answer = ask(port, request.body, part=part)
    except TimeoutError:
        figures.cut += 1
        return
    except http.client.HTTPException:  # an answer that was cut off by the server
        figures.wrong += 1
        return
    if most is not None and len(answer.body) >= most:
        figures.cut += 1
        return
    figures.whole += 1
    if answer.status != 200 or not _same(answer.body, expected, request.format):
        figures.wrong += 1


def _same(heard: bytes, expected: bytes, form: Format) -> bool:
    """Whether two files are the same sound; Ogg's have a number of their own."""
    if heard == expected:
        return True
    if form != "opus":
        return False
    one, other = (soundfile.read(io.BytesIO(data))[0] for data in (heard, expected))
    return np.array_equal(one, other)


def _left(port: int, clients: int, chance: random.Random) -> float:
    """All clients ask for a long text and leave: the seconds from then until no slot is taken."""
    connections = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(clients)]
    for number, connection in enumerate(connections):
        body = {"input": LONG, "seed": number, "stream": number % 2 == 0, "response_format": "pcm"}
        connection.request("POST", "/v1/audio/speech", json.dumps(body), {"content-type": "application/json"})
    while not metric(port, "alrakis_slots_in_use"):
        time.sleep(LOOK_S)
    time.sleep(chance.random() * LEAVE_S)
    for connection in connections:
        connection.close()
    began = time.perf_counter()
    while _taken(port) and time.perf_counter() - began < FREE_S:
        time.sleep(LOOK_S)
    return time.perf_counter() - began


def _taken(port: int) -> bool:
    """Whether anything is under way."""
    return metric(port, "alrakis_slots_in_use") + metric(port, "alrakis_requests_under_way") > 0


def _look(port: int, figures: SoakFigures, over: threading.Event) -> None:
    while not over.wait(HEALTH_S):
        figures.health_s.append(get(port, "/health").wall_s)


def _spoil(port: int, figures: SoakFigures, over: threading.Event) -> None:
    """Send what is no request, or no request for speech."""
    while not over.wait(4 * HEALTH_S):
        number = figures.rubbish = figures.rubbish + 1
        if number % 4:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(RUBBISH[number % len(RUBBISH)])
        else:
            whole(port, random.Random(number).randbytes(200))


def _settle(port: int, figures: SoakFigures) -> None:
    """What is still taken when everybody has gone, after a while."""
    ends = time.perf_counter() + FREE_S
    while _taken(port) and time.perf_counter() < ends:
        time.sleep(LOOK_S)
    figures.slots_left = metric(port, "alrakis_slots_in_use")
    figures.queued_left = metric(port, "alrakis_requests_under_way")
