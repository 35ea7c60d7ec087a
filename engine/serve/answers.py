"""Answers that are sent while they are made, and events in them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from alrakis.serve.guard import CutError, Notes
from alrakis.serve.problems import ErrorBody, as_api_error
from alrakis.serve.saying import Saying

EVENTS = "text/event-stream"
EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "data": {"type": "string", "description": "JSON"}},
    "required": ["data"],
}
NOTHING = b": \n\n"  # an event that says nothing keeps a connection open

# What may be answered instead of sound, as the interface's description tells it.
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": words}
    for status, words in {
        400: "Something in the request cannot be used",
        401: "A key is needed",
        403: "A page of this origin may not use the server",
        404: "There is no such model",
        408: "The request came in too slowly",
        413: "The body is too large",
        422: "The text made no sound with this seed",
        429: "Too much audio is asked for already; `retry-after` says when to try again",
        500: "Something went wrong here",
        503: "Not ready, or being stopped",
        504: "It took too long",
    }.items()
}


class Sounding(StreamingResponse):
    """An answer that is made while it is sent; whatever becomes of it, the saying behind it ends."""

    def __init__(self, body: AsyncIterator[bytes], saying: Saying, notes: Notes, **options: Any) -> None:
        super().__init__(self._sent(body), **options)
        self._saying = saying
        self._notes = notes
        self._whole = False

    async def _sent(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in body:
            if part:
                yield part
        self._whole = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except (CutError, asyncio.CancelledError):
            self._notes.setdefault("outcome", "cut")
            raise
        except (ClientDisconnect, OSError):
            raise
        except Exception:
            self._notes.setdefault("outcome", "failed")
            raise
        finally:
            self._saying.end()
            note_figures(self._notes, self._saying)
            if not self._whole:
                self._notes.setdefault("outcome", "gone")


def note_figures(notes: Notes, saying: Saying) -> None:
    """What a request's line in the log says of its speech."""
    rtf, first_s = saying.rtf, saying.first_sound_s
    notes.update(
        seed=saying.seed,
        chunks=len(saying.chunks),
        audio_s=round(saying.audio_s, 3),
        first_sound_s=None if first_s is None else round(first_s, 3),
        rtf=None if rtf is None else round(rtf, 3),
        take_error=None if saying.error is None else round(saying.error, 3),
    )


def event(data: Mapping[str, Any], name: str | None = None) -> bytes:
    """A server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def as_cut(error: Exception, *, text: bool) -> Exception:
    """What ends an answer that has begun: errors that are told end it by a cut, a defect stays one.

    text: whether texts may be in the log, which alone tells what it was.
    """
    told = as_api_error(error)
    return error if told.detail.code == "internal_error" else CutError(told.logged(text=text))
