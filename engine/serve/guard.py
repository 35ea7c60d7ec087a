"""What every request passes: its id, its caller, its key, its body's size, its line in the log, its count."""

import asyncio
import contextlib
import hashlib
import hmac
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alrakis.serve.callers import check_caller
from alrakis.serve.logs import Log
from alrakis.serve.metrics import Metrics
from alrakis.serve.problems import ApiError
from alrakis.serve.settings import Settings

WITH_KEY = {"/v1/audio/speech", "/api/speech", "/api/mp3", "/metrics"}
LARGE = {"/api/mp3"}  # reads its body itself, part by part, with limits of its own
DRAINED, DRAIN_S = 8, 2.0  # of a body that is refused, so many times the largest, for so long
ABORT = "alrakis.abort"  # in a scope: closes the connection at once
_ID = re.compile(r"[\w.-]{1,64}")
_OUTCOMES = {401: "denied", 403: "denied", 421: "denied", 408: "slow", 429: "busy", 499: "gone", 504: "late"}

Notes = MutableMapping[str, Any]


def outcome_of(status: int) -> str:
    """A word for how a request ended."""
    return _OUTCOMES.get(status, "ok" if status < 400 else "invalid" if status < 500 else "failed")


class CutError(Exception):
    """An answer that has begun cannot be ended well: the connection is cut, so nobody takes it for whole."""


class Guard:
    """An ASGI application around another.

    A request's `state` has `notes`, what its line in the log says, and `client`, who shares its turns: the
    key where there are several, else the address.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, log: Log) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._log = log
        self._keys = [hashlib.sha256(key.encode()).digest() for key in settings.keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.monotonic()
        method = scope["method"]
        if method == "HEAD":  # whatever can be got; uvicorn sends no body
            scope = {**scope, "method": "GET"}
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        own_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        notes: Notes = {"id": own_id, "method": method, "path": scope["path"]}
        scope.setdefault("state", {})["notes"] = notes

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                notes["status"] = message["status"]
                own = [(b"x-request-id", own_id.encode()), (b"x-content-type-options", b"nosniff")]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        try:
            await self._guarded(scope, receive, answer, headers)
        except CutError as cut:
            notes.setdefault("outcome", "cut")
            notes["error"] = str(cut)
            await _abort(scope)
        except asyncio.CancelledError:  # the server ends: nobody waits for this task
            notes.setdefault("outcome", "cut")
            await _abort(scope)
        finally:
            self._told(scope, notes, time.monotonic() - began_s)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        try:
            check_caller(scope["method"], headers, self._settings)
            scope["state"]["client"] = self._client(scope, headers)
            if scope["path"] not in LARGE:
                receive = _after(await self._body(receive, headers), receive)
        except ApiError as error:
            scope["state"]["notes"]["error"] = str(error)
            if headers.get("connection", "").lower() == "close" and "expect" not in headers:
                await _drain(receive, DRAINED * self._settings.max_body_bytes)
            await error.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _client(self, scope: Scope, headers: dict[str, str]) -> str:
        """Who asks. Raises ApiError without a key where one is needed; comparing takes equal time."""
        address = (scope.get("client") or ("unknown",))[0]
        scheme, _, given = headers.get("authorization", "").partition(" ")
        shown = hashlib.sha256(given.strip().encode()).digest() if scheme.lower() == "bearer" else b""
        fits = [hmac.compare_digest(shown, key) for key in self._keys]
        if self._keys and not any(fits) and scope["path"] in WITH_KEY and scope["method"] != "OPTIONS":
            missing = "a key is needed: Authorization: Bearer KEY"
            error = ApiError(401, "this key is not known" if shown else missing, code="invalid_api_key")
            error.headers["www-authenticate"] = "Bearer"
            raise error
        return f"key {fits.index(True)}" if len(fits) > 1 and any(fits) else str(address)

    async def _body(self, receive: Receive, headers: dict[str, str]) -> bytes:
        """The whole body. Raises ApiError for one that is too large or too slow."""
        most = self._settings.max_body_bytes
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > most:
            raise _too_large(most)
        try:
            return await asyncio.wait_for(_read(receive, most), self._settings.read_s)
        except asyncio.TimeoutError:
            raise ApiError(408, f"the body did not come in {self._settings.read_s:g} s") from None

    def _told(self, scope: Scope, notes: Notes, wall_s: float) -> None:
        """Count a request, and write its line."""
        status = notes.get("status", 499)
        outcome = notes.setdefault("outcome", outcome_of(status))
        refused = scope["path"] if scope["path"] in WITH_KEY else "other"  # before there was a route
        route = getattr(scope.get("route"), "path", None) or refused
        self._metrics.requests.labels(route, outcome).inc()
        self._log.line("request", **notes, wall_s=round(wall_s, 3))


def _too_large(most: int) -> ApiError:
    return ApiError(413, f"the body has more than {most} bytes", code="request_too_large")


async def _read(receive: Receive, most: int) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ApiError(499, "the client went away")
        body += message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return body


async def _drain(receive: Receive, most: int) -> None:
    """Read what is left of a body, but not for long: closed with something unread, an answer can be lost."""

    async def read() -> None:
        came = 0
        while came < most:
            message = await receive()
            came += len(message.get("body", b""))
            if not message.get("more_body", False):
                return

    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(read(), DRAIN_S)


def _after(body: bytes, receive: Receive) -> Receive:
    """Receives a body that was read, then what comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _abort(scope: Scope) -> None:
    abort: Callable[[], Awaitable[None]] | None = scope.get(ABORT)
    if abort is not None:
        await abort()
