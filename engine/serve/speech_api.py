"""`POST /v1/audio/speech`: OpenAI's interface to speech."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response

from alrakis.long.cues import Align, CueTrack
from alrakis.long.pieces import Piece
from alrakis.marks.subtitles import subtitles
from alrakis.sampling import FloatArray
from alrakis.serve.answers import ERRORS, EVENT_SCHEMA, EVENTS, Sounding, as_cut, event, note_figures
from alrakis.serve.asked import SpeechRequest, voice_name
from alrakis.serve.encoders import CONTENT_TYPES, open_encoder
from alrakis.serve.gone import unless_gone
from alrakis.serve.problems import as_api_error
from alrakis.serve.saying import Saying
from alrakis.serve.service import Service

router = APIRouter()
AUDIO: dict[str, Any] = {kind: {"schema": {"type": "string"}} for kind in CONTENT_TYPES.values()}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The sound", "content": {**AUDIO, EVENTS: {"schema": EVENT_SCHEMA}}},
    **ERRORS,
}


@router.post("/v1/audio/speech", responses=ANSWERS, response_class=Response)
async def create_speech(asked: SpeechRequest, request: Request) -> Response:
    """Say a text.

    The answer is sent while it is made, unless `stream` is false. What is made whole before the first byte is
    sent has its seconds and its RTF in headers.
    """
    service: Service = request.app.state.service
    service.names.check_model(asked.model)
    sound = Sound(asked, service.engine.layout.sample_rate_hz)
    notes = request.state.notes
    notes.update(voice=voice_name(asked.voice), format=asked.response_format, chars=len(asked.input))
    if service.settings.log_text:
        notes["text"] = asked.input
    align = service.aligning(asked) if asked.words else None
    saying = await unless_gone(request, service.begin(asked, request.state.client, streamed=asked.stream))
    try:
        if asked.stream_format == "sse":
            return _events(asked, saying, sound, align, request)
        begun = await unless_gone(request, _beginning(saying, whole=not asked.stream))
        headers = _headers(asked, saying)
        kind = CONTENT_TYPES[asked.response_format]
        if saying.complete:
            body = await unless_gone(request, sound.whole(begun))
            seconds = saying.audio_s / asked.speed
            figures = {"x-alrakis-seconds": f"{seconds:.3f}", "x-alrakis-rtf": f"{saying.rtf:.3f}"}
            if saying.error is not None:
                figures["x-alrakis-error"] = f"{saying.error:.3f}"
            note_figures(notes, saying)
            saying.end()
            return Response(body, media_type=kind, headers={**headers, **figures})
        parts = _sent(saying, sound, begun, text=service.settings.log_text)
        return Sounding(parts, saying, notes, media_type=kind, headers=headers)
    except BaseException:
        note_figures(notes, saying)
        saying.end()
        raise


class Sound:
    """Pieces in the speed and format that were asked for. Raises ApiError for what needs PyAV."""

    def __init__(self, asked: SpeechRequest, rate_hz: int) -> None:
        self._asked = asked
        self._rate_hz = rate_hz
        if asked.response_format == "aac" or asked.speed != 1:
            from alrakis.serve.av_encoders import check_av

            aac = asked.response_format == "aac"
            check_av("response_format" if aac else "speed", "aac" if aac else "a speed other than 1")
        self._open(stream=True)

    def _open(self, *, stream: bool) -> None:
        self._tempo: Any = None
        if self._asked.speed != 1:
            from alrakis.serve.av_encoders import Tempo

            self._tempo = Tempo(self._asked.speed, self._rate_hz)
        self._encoder = open_encoder(self._asked.response_format, self._rate_hz, stream=stream)

    async def write(self, audio: FloatArray) -> bytes:
        """The bytes that are ready after so much more."""
        return await asyncio.to_thread(self._write, audio)

    async def end(self) -> bytes:
        """What is left."""
        return await asyncio.to_thread(self._end)

    async def whole(self, pieces: list[Piece]) -> bytes:
        """All of it, as a file."""
        self._open(stream=False)
        audio = np.concatenate([piece.audio for piece in pieces])
        return await self.write(audio) + await self.end()

    def _write(self, audio: FloatArray) -> bytes:
        return self._encoder.write(audio if self._tempo is None else self._tempo.write(audio))

    def _end(self) -> bytes:
        rest = b"" if self._tempo is None else self._encoder.write(self._tempo.end())
        return rest + self._encoder.end()


async def _beginning(saying: Saying, *, whole: bool) -> list[Piece]:
    """The pieces up to the first that sounds, or all."""
    pieces: list[Piece] = []
    while (piece := await saying.next()) is not None:
        pieces.append(piece)
        if len(piece.audio) and not whole and not saying.complete:
            break
    return pieces


def _headers(asked: SpeechRequest, saying: Saying) -> dict[str, str]:
    headers = {"x-alrakis-seed": str(saying.seed)}
    if asked.instructions:
        headers["x-alrakis-ignored"] = "instructions"
    return headers


async def _sent(saying: Saying, sound: Sound, begun: list[Piece], *, text: bool) -> AsyncIterator[bytes]:
    """text: whether texts may be in the log."""
    try:
        for piece in begun:
            yield await sound.write(piece.audio)
        async for piece in saying.pieces():
            yield await sound.write(piece.audio)
        yield await sound.end()
    except Exception as error:
        raise as_cut(error, text=text) from error


def _events(
    asked: SpeechRequest, saying: Saying, sound: Sound, align: Align | None, request: Request
) -> Sounding:
    service: Service = request.app.state.service

    async def body() -> AsyncIterator[bytes]:
        made, track = 0, CueTrack(service.engine.layout.sample_rate_hz, align)
        try:
            async for piece in saying.pieces():
                made += len(piece.result.semantic_tokens)
                if align is not None:  # takes its time, for which no sound waits
                    saying.beside(service.align(track, piece))
                elif asked.subtitles is not None:
                    track.add(piece.chunk, piece.audio)
                yield _delta(await sound.write(piece.audio))
            yield _delta(await sound.end())
            await saying.finish()
        except Exception as error:
            told = as_api_error(error)
            request.state.notes.update(outcome="cut", error=told.logged(text=service.settings.log_text))
            yield event({"type": "error", "error": told.detail.model_dump()})
            if told is not error and told.detail.code == "internal_error":
                raise
            return
        if asked.subtitles is not None:
            heard = [cue.faster(asked.speed) for cue in track.cues]
            cues = subtitles(heard, f".{asked.subtitles}")
            yield event({"type": "speech.subtitles", "format": asked.subtitles, "subtitles": cues})
        read = sum(len(service.engine.tokenizer.encode(chunk.text)) for chunk in saying.chunks)
        usage = {"input_tokens": read, "output_tokens": made, "total_tokens": read + made}
        yield event({"type": "speech.audio.done", "usage": usage})

    headers = {**_headers(asked, saying), "cache-control": "no-store"}
    return Sounding(body(), saying, request.state.notes, media_type=EVENTS, headers=headers)


def _delta(audio: bytes) -> bytes:
    if not audio:
        return b""
    return event({"type": "speech.audio.delta", "audio": base64.b64encode(audio).decode()})
