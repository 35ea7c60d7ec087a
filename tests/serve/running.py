"""A server that runs in a thread of its own, and what tests look at."""

import asyncio
import functools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest

from alrakis import Engine
from alrakis.serve.saying import Saying
from alrakis.serve.server import listen, make_server
from alrakis.serve.settings import load_settings
from tests.threads import WAIT_S, held

SHORT = "I like pizza."
LONG = "It is late. " * 24
BRIEF_S = 0.4  # of audio for a chunk, whatever it says
PATIENT = {"timeout_s": WAIT_S, "read_s": WAIT_S, "stall_s": WAIT_S}  # no limit but those a test asks for


def make_engine(max_batch: int = 4) -> Engine:
    """The demo voice in fp32, which says the same alone and in company, and of each chunk the beginning."""
    engine = Engine("demo", "cpu-fp32", threads=1, max_batch=max_batch, fine_window="fitted")
    said = engine.submit_long
    engine.submit_long = functools.partial(said, max_gen_duration_s=BRIEF_S)  # type: ignore[method-assign]
    return engine


class Running:
    """A server in a thread; works as a context manager."""

    def __init__(self, *, max_batch: int = 4, **settings: Any) -> None:
        self.engine = make_engine(max_batch)
        asked = {"host": "127.0.0.1", "port": 0, "weights": "demo", **PATIENT, **settings}
        self.settings = load_settings(asked)
        self.lines: list[dict[str, Any]] = []
        self._home = None if self.settings.wyoming is None else listen("127.0.0.1", self.settings.wyoming)
        self.wyoming_port = int(self._home.getsockname()[1]) if self._home else 0
        self.server, self.log = make_server(self.engine, self.settings, self._home, self._write)
        self.server.config.timeout_graceful_shutdown = int(WAIT_S)
        self._listening = listen(self.settings.host, self.settings.port)
        self.port = int(self._listening.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run)

    def _write(self, line: str) -> None:
        self.lines.append(json.loads(line))

    def _run(self) -> None:
        asyncio.run(self.server.serve(sockets=[self._listening]))

    def __enter__(self) -> "Running":
        self._thread.start()
        wait_for(lambda: self.server.service.state != "loading")
        return self

    def __exit__(self, *error: object) -> None:
        self.end()
        self._thread.join()
        self._listening.close()
        self.engine.close()

    def end(self) -> None:
        """As at a first signal."""
        loop = self.server._loop
        assert loop is not None
        loop.call_soon_threadsafe(self.server.end)

    def held(self, *, begun: bool = False) -> AbstractContextManager[threading.Event]:
        """Nothing is made within the block. begun: from the time on when the first token of something is."""
        return held(self.engine._scheduler, when=lambda: not begun or any(self.engine.slots_in_use.values()))

    @property
    def service(self) -> Any:
        return self.server.service

    @property
    def idle(self) -> bool:
        """Whether nothing is under way, in no slot and in no queue."""
        return not any(self.engine.slots_in_use.values()) and not len(self.service.queue)

    def alone(self, text: str, voice: str | None = None, **options: Any) -> Any:
        """The audio of a text by the engine itself."""
        return self.engine.submit_long(text, voice, **options).result().audio

    def wait_idle(self) -> None:
        """Until nothing is under way."""
        wait_for(lambda: self.idle)

    def post(self, path: str = "/v1/audio/speech", **body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", json=body, timeout=WAIT_S)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=WAIT_S, **options)

    def request_lines(self, own_id: str) -> list[dict[str, Any]]:
        """The log's lines of a request."""
        return [line for line in self.lines if line["event"] == "request" and line["id"] == own_id]


@contextmanager
def first_pieces_only() -> Iterator[None]:
    """Of what is said piece by piece, all but the first piece comes after the block."""
    over, following = threading.Event(), Saying.next

    async def held_back(saying: Saying) -> Any:
        while saying.told and not over.is_set():
            await asyncio.sleep(0.001)
        return await following(saying)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Saying, "next", held_back)
        try:
            yield
        finally:
            over.set()


def wait_for(condition: Any) -> None:
    ends = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends, "it does not come"
        time.sleep(0.01)
