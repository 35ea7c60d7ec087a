"""A server to be measured, in a process of its own or beside its engine, and a client with a clock."""

import asyncio
import http.client
import json
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alrakis.engine import Engine
from alrakis.errors import BackendError
from alrakis.serve.server import listen, make_server
from alrakis.serve.settings import load_settings

PART_BYTES = 4096
PATIENCE_S = 600.0


@dataclass(frozen=True)
class Answer:
    """What a server answered. first_s, wall_s: from the request to the body's first byte, and its last."""

    status: int
    body: bytes
    first_s: float
    wall_s: float


def ask(
    port: int,
    body: Any,
    *,
    method: str = "POST",
    path: str = "/v1/audio/speech",
    part: Callable[[int], bool],
    patience_s: float = PATIENCE_S,
) -> Answer:
    """Ask a server on this machine. part: is called with the bytes so far; false closes the connection.

    Raises TimeoutError where nothing came for so long; the connection is closed then, too.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience_s)
    try:
        began = time.perf_counter()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, content, {"content-type": "application/json"})
        response = connection.getresponse()
        read, first_s = b"", 0.0
        while piece := response.read1(PART_BYTES):
            first_s = first_s or time.perf_counter() - began
            read += piece
            if not part(len(read)):
                break
        return Answer(response.status, read, first_s, time.perf_counter() - began)
    finally:
        connection.close()


def whole(port: int, body: Any, **options: Any) -> Answer:
    """Ask, and read all of the answer."""
    return ask(port, body, part=lambda read: True, **options)


def get(port: int, path: str) -> Answer:
    """Ask for what is at a path."""
    return whole(port, b"", method="GET", path=path)


def metric(port: int, name: str) -> float:
    """The sum of a metric's values."""
    lines = get(port, "/metrics").body.decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}[ {{]", line))


@contextmanager
def beside(engine: Engine, **settings: Any) -> Iterator[int]:
    """A server over an engine, in a thread of this process; gives its port."""
    listening = listen("127.0.0.1", 0)
    server, _ = make_server(engine, load_settings(settings), write=lambda line: None)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        while not server.service.ready:
            time.sleep(0.01)
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def process(*options: str) -> Iterator[int]:
    """`alrakis serve` in a process of its own; gives its port. Raises BackendError if it does not start."""
    command = [sys.executable, "-c", "from alrakis.cli import main; main()", "serve", "--port", "0", *options]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    said: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(running, said), daemon=True).start()
    try:
        line = ""
        while "listening on" not in line:
            line = said.get(timeout=PATIENCE_S)
            if not line:
                raise BackendError("the server did not start")
        port = int(line.rpartition(":")[2])
        while get(port, "/ready").status != 200:
            time.sleep(0.1)
        yield port
    finally:
        running.terminate()
        running.wait()


def _read(running: "subprocess.Popen[str]", said: "queue.Queue[str]") -> None:
    assert running.stderr is not None
    for line in running.stderr:
        said.put(line)
    said.put("")
