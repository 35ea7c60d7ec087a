"""Samples in, an MP3 out: what the page has put together, as a file."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from alrakis.serve.answers import ERRORS
from alrakis.serve.encoders import CONTENT_TYPES, open_encoder
from alrakis.serve.problems import ApiError
from alrakis.serve.service import Service

router = APIRouter()
PATH = "/api/mp3"
MOST_S = 3600  # of audio in a file
MOST_AT_ONCE = 4  # each holds its file in memory while it comes in
AGAIN_S = 5.0
SAMPLE_BYTES = 2
FULL_SCALE = np.float32(32768)
BODY = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "A file", "content": {CONTENT_TYPES["mp3"]: {}}},
    **{status: ERRORS[status] for status in (400, 401, 403, 408, 413, 429, 500)},
}


@router.post(PATH, responses=ANSWERS, response_class=Response, openapi_extra={"requestBody": BODY})
async def mp3(request: Request) -> Response:
    """Signed 16-bit little-endian samples, mono, at the weights' own rate, as an MP3 file."""
    service: Service = request.app.state.service
    under_way: set[object] = request.app.state.mp3
    if len(under_way) >= MOST_AT_ONCE:
        message = f"{MOST_AT_ONCE} files are being made already: try again soon"
        raise ApiError(429, message, code="busy", retry_after_s=AGAIN_S, again=True)
    own = object()
    under_way.add(own)
    try:
        rate_hz = service.engine.layout.sample_rate_hz
        made = await _encoded(_body(request, MOST_S * rate_hz * SAMPLE_BYTES), rate_hz, service)
    finally:
        under_way.discard(own)
    return Response(made, media_type=CONTENT_TYPES["mp3"])


async def _body(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    """The body as it comes. Raises ApiError for one that is too large, or whose client goes away."""
    came = 0
    try:
        async for part in request.stream():
            came += len(part)
            if came > most_bytes:
                raise ApiError(413, f"a file has {MOST_S} s of audio at most", code="request_too_large")
            yield part
    except ClientDisconnect:
        raise ApiError(499, "the client went away") from None


async def _encoded(parts: AsyncIterator[bytes], rate_hz: int, service: Service) -> bytes:
    """A whole file. Raises ApiError for what are no samples, or come too slowly."""
    encoder = open_encoder("mp3", rate_hz, stream=False)
    left = b""
    came = False
    wait_s = service.settings.read_s
    while True:
        try:
            part = await asyncio.wait_for(anext(parts, None), wait_s)
        except asyncio.TimeoutError:
            raise ApiError(408, f"nothing of the body came in {wait_s:g} s") from None
        if part is None:
            break
        left += part
        whole = len(left) - len(left) % SAMPLE_BYTES
        samples = np.frombuffer(left[:whole], "<i2").astype(np.float32) / FULL_SCALE
        left = left[whole:]
        if len(samples):
            came = True
            await asyncio.to_thread(encoder.write, samples)
    if left or not came:
        raise ApiError(400, "the body must be samples of 16 bits, mono, and has none, or half of one")
    return await asyncio.to_thread(encoder.end)
