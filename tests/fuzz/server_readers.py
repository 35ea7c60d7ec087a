"""What a server reads: its own files, and what clients send."""

import asyncio
import functools
from pathlib import Path
from typing import Any
from unittest import mock

from alrakis import Engine
from alrakis.errors import InputError
from alrakis.serve.app import make_app
from alrakis.serve.logs import Log
from alrakis.serve.names import Names
from alrakis.serve.problems import ApiError
from alrakis.serve.service import Service
from alrakis.serve.settings import load_settings
from alrakis.serve.wyoming_server import LINE_BYTES, WyomingServer
from alrakis.weights import open_weights
from tests.fuzz import mutate
from tests.fuzz.reader import Reader, only

PATHS = {"speech.json": "/v1/audio/speech", "page.json": "/api/speech", "samples.pcm": "/api/mp3"}
DEMO = open_weights("demo")
SAID_NOW = 503  # the answer where a text would be said


def read_aliases(folder: Path) -> None:
    names = Names(DEMO, only(folder))
    for alias in names.aliases:
        names.voice(alias)


def read_keys(folder: Path) -> None:
    load_settings({"weights": "demo", "host": "0.0.0.0", "api_key_file": only(folder)})


async def _begun(begin: object) -> None:
    raise ApiError(SAID_NOW, "nothing is said here")


@functools.cache
def running() -> tuple[asyncio.AbstractEventLoop, Any, WyomingServer]:
    """A server's parts, which refuse a text where it would be said; made in the process that reads."""
    service = Service(Engine("demo", "cpu-fp32", threads=1), load_settings({"weights": "demo"}))
    service._begun = _begun  # type: ignore[method-assign,assignment]
    service.loaded()
    log = Log(text=True, failed=lambda: None, write=lambda line: None)
    return asyncio.new_event_loop(), make_app(service, log), WyomingServer(service, log)


def read_request(folder: Path) -> None:
    """What comes over the network: never is it the server that is at fault."""
    path = only(folder)
    loop, app, _ = running()
    kind = "application/octet-stream" if path.suffix == ".pcm" else "application/json"
    status = loop.run_until_complete(answer(app, PATHS[path.name], path.read_bytes(), kind))
    if status == 500:
        raise RuntimeError("the server failed")
    if status >= 400 and status != SAID_NOW:
        raise InputError(f"{status}")


async def answer(app: Any, path: str, body: bytes, kind: str) -> int:
    """The status of the answer to a request."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"content-type", kind.encode()), (b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    told: list[int] = []
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(3600)  # the client stays
        return left.pop()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    await app(scope, receive, send)
    return told[0]


class Nowhere:
    """Where a connection writes to."""

    transport = mock.Mock()

    def get_extra_info(self, name: str) -> None:
        return None

    def write(self, data: object) -> None:
        pass

    def writelines(self, lines: object) -> None:
        pass

    async def drain(self) -> None:
        pass


def read_wyoming(folder: Path) -> None:
    """A whole connection; what comes over it never is a mistake of the server's."""
    loop, _, home = running()
    reader = asyncio.StreamReader(LINE_BYTES, loop)
    reader.feed_data(only(folder).read_bytes())
    reader.feed_eof()
    loop.run_until_complete(home._connected(reader, Nowhere()))  # type: ignore[arg-type]


SERVER_READERS = [
    Reader("aliases", {"": mutate.damage_text}, read_aliases, 8),
    Reader("keys", {"": mutate.damage_text}, read_keys, 5),
    Reader("request", {".json": mutate.damage_json, ".pcm": mutate.damage_bytes}, read_request, 4, running),
    Reader("Wyoming", {"": mutate.damage_json}, read_wyoming, 4, running),
]
