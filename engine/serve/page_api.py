"""The page, and its own interface: what is being made, told in events."""

import asyncio
import base64
import hashlib
import time
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from alrakis.audio import pcm16
from alrakis.engine import Engine
from alrakis.long.joining import pause_after
from alrakis.long.pieces import Piece
from alrakis.sampling import MAX_SEED
from alrakis.serve.answers import ERRORS, EVENT_SCHEMA, EVENTS, NOTHING, Sounding, event
from alrakis.serve.asked import PageRequest, voice_name
from alrakis.serve.gone import unless_gone
from alrakis.serve.problems import as_api_error
from alrakis.serve.saying import Saying, error_of
from alrakis.serve.service import Service

router = APIRouter()
# What systems say of endings differs, and a browser runs no script that is called plain text.
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOVE_S = 0.3  # between two events that tell how far a text is
QUIET_S = 15.0  # after so long something is sent, as what lies between may close a silent connection
POLICY = (
    "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events", "content": {EVENTS: {"schema": EVENT_SCHEMA}}},
    **ERRORS,
}


@router.post("/api/speech", responses=ANSWERS, response_class=Response)
async def page_speech(asked: PageRequest, request: Request) -> Response:
    """Say a text, and tell what is being made: `queued`, `plan`, `progress`, `chunk`, `done`, `error`."""
    service: Service = request.app.state.service
    notes = request.state.notes
    notes.update(voice=voice_name(asked.voice), chars=len(asked.input))
    if service.settings.log_text:
        notes["text"] = asked.input
    moves = _Moves()
    queued = {
        "id": notes["id"],
        "place": len(service.queue),
        "seconds_ahead": round(service.queue.seconds, 1),
    }
    saying = await unless_gone(
        request, service.begin(asked, request.state.client, streamed=True, on_move=moves.move)
    )
    body = _told(queued, saying, moves, service, request)
    return Sounding(body, saying, notes, media_type=EVENTS, headers={"cache-control": "no-store"})


async def _told(
    queued: dict[str, Any], saying: Saying, moves: "_Moves", service: Service, request: Request
) -> AsyncIterator[bytes]:
    yield event(queued, "queued")
    yield event(_plan(saying, service.engine), "plan")
    try:
        async for piece in _pieces(saying, moves):
            yield event(_chunk(piece), "chunk") if isinstance(piece, Piece) else piece
    except Exception as error:
        told = as_api_error(error)
        request.state.notes.update(outcome="cut", error=told.logged(text=service.settings.log_text))
        yield event({"status": told.status, "message": told.detail.message}, "error")
        if told is not error and told.detail.code == "internal_error":
            raise
        return
    figures = {"wall_s": saying.wall_s, "rtf": saying.rtf, "first_sound_s": saying.first_sound_s}
    rounded = {name: None if value is None else round(value, 3) for name, value in figures.items()}
    yield event({"seconds": round(saying.audio_s, 3), **rounded}, "done")


async def _pieces(saying: Saying, moves: "_Moves") -> AsyncIterator[Piece | bytes]:
    """Pieces, and between them events of what is being made."""
    waiting = asyncio.ensure_future(saying.next())
    told_s = time.monotonic()
    try:
        while True:
            await asyncio.wait({waiting}, timeout=MOVE_S)
            now_s = time.monotonic()
            if waiting.done():
                piece = waiting.result()
                if piece is None:
                    return
                yield piece
                waiting = asyncio.ensure_future(saying.next())
            elif moves.changed:
                yield event(moves.taken(), "progress")
            elif now_s - told_s > QUIET_S:
                yield NOTHING
            else:
                continue
            told_s = now_s
    finally:
        waiting.cancel()


def _plan(saying: Saying, engine: Engine) -> dict[str, Any]:
    rate_hz = engine.layout.sample_rate_hz
    chunks = [
        {
            "index": index,
            "text": chunk.written or chunk.text,
            "said": chunk.text,
            "speaker": chunk.speaker,
            "seconds": round(chunk.seconds, 2),
            "pause_s": len(pause_after(chunk.pause, rate_hz, engine.config)) / rate_hz,
            "seed": (saying.seed + index) & MAX_SEED,
        }
        for index, chunk in enumerate(saying.chunks)
    ]
    return {"sample_rate": rate_hz, "seed": saying.seed, "chunks": chunks}


def _chunk(piece: Piece) -> dict[str, Any]:
    error = error_of(piece)
    audio = pcm16(piece.audio) if len(piece.audio) else b""
    return {
        "index": piece.index,
        "text": piece.chunk.written or piece.chunk.text,
        "seed": piece.result.seed,
        "seconds": round(piece.duration_s, 3),
        "error": None if error is None else round(error, 3),
        "takes": len(piece.result.takes) or 1,
        "audio": base64.b64encode(audio).decode(),
    }


class _Moves:
    """How far a text is: the stage that moved last, and its seconds. Filled by the worker's thread."""

    def __init__(self) -> None:
        self.changed = False
        self._seconds: dict[str, float] = {}
        self._part = ""

    def move(self, part: str, seconds: float) -> None:
        self._seconds[part] = self._seconds.get(part, 0.0) + seconds
        self._part = part
        self.changed = True

    def taken(self) -> dict[str, Any]:
        self.changed = False
        return {"part": self._part, "seconds": round(self._seconds.get(self._part, 0.0), 2)}


# The page itself.


class Asset:
    """A file of the page, in memory."""

    def __init__(self, name: str, content: bytes) -> None:
        self.content = content
        self.kind = KINDS[PurePath(name).suffix]
        self.tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def page_assets() -> dict[str, Asset]:
    """The files of the page, by their names; there are no folders."""
    folder = resources.files("alrakis.serve") / "page"
    return {file.name: Asset(file.name, file.read_bytes()) for file in folder.iterdir() if file.is_file()}


@router.get("/", include_in_schema=False)
@router.get("/{name}", include_in_schema=False)
async def page(request: Request, name: str = "index.html") -> Response:
    """The page and its files."""
    asset: Asset | None = request.app.state.page.get(name)
    if asset is None:
        raise HTTPException(404)
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache", "etag": asset.tag}
    headers["referrer-policy"] = "no-referrer"
    if request.headers.get("if-none-match") == asset.tag:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.kind, headers=headers)
