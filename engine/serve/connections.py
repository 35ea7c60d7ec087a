"""Connections that are closed when nothing comes, or nothing is taken."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from alrakis.serve.guard import ABORT
from alrakis.serve.problems import ApiError


class Connection(H11Protocol):
    """uvicorn's, with time limits for a request's head and for a client who reads nothing.

    uvicorn waits for ever for a first request, and for a client to read. Above a number of connections, the
    one that has waited longest for a request gives way.
    """

    head_s = 20.0
    stall_s = 60.0
    most = 500
    idle: "dict[Connection, None]"  # those without a request, the longest idle first; one table a server

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._application = self.app
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self.app = self._asked

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._rest()
        if len(self.connections) > self.most and self.idle:
            longest = next(iter(self.idle))
            del self.idle[longest]
            longest.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.idle.pop(self, None)
        for timer in (self._timer, self._stalled):
            if timer is not None:
                timer.cancel()
        super().connection_lost(error)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:  # none that came early is next
            self._rest()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP: uvicorn tells it in plain text, and breaks where an answer has begun."""
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
            return
        answer = ApiError(400, "what came is no request of HTTP/1.1 that can be read").response()
        answer.headers["connection"] = "close"
        head = b"".join(b"%s: %s\r\n" % header for header in answer.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%s\r\n%s" % (head, answer.body))
        self.transport.close()

    def _rest(self) -> None:
        """No request is under way."""
        self.idle[self] = None
        self._timer = self.loop.call_later(self.head_s, self.transport.abort)

    async def _asked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request is under way."""
        self.idle.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
        scope[ABORT] = self._abort
        application: ASGIApp = self._application
        await application(scope, receive, send)

    async def _abort(self) -> None:
        self.transport.abort()
        await asyncio.sleep(0)  # uvicorn learns of it


def connection_class(*, head_s: float, stall_s: float, most: int) -> type[Connection]:
    """Connections of one server, with its limits."""
    limits = {"head_s": head_s, "stall_s": stall_s, "most": most, "idle": {}}
    return type("LimitedConnection", (Connection,), limits)
