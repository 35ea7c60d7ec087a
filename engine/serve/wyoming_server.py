"""Home Assistant's Wyoming: a text, or pieces of one as they come, into audio, over TCP."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket
from typing import Any

from pydantic import ValidationError
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_write_event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from alrakis.audio import pcm16
from alrakis.files.parsing import parse_json
from alrakis.serve.answers import note_figures
from alrakis.serve.asked import Said
from alrakis.serve.guard import Notes, outcome_of
from alrakis.serve.logs import Log
from alrakis.serve.problems import as_api_error, invalid
from alrakis.serve.service import Service
from alrakis.text.boundaries import sentence_ends
from alrakis.text.pace import language_of
from alrakis.version import __version__

LINE_BYTES = 1 << 16
MOST_CONNECTIONS = 64
SAMPLE_BYTES = 2
AUDIO_SAMPLES = 4096  # of one event
SPACES = re.compile(r"\s+")
US = Attribution(name="alrakis", url="https://github.com/suno-ai/bark")


class GoneError(Exception):
    """A client takes nothing any more."""


class WyomingServer:
    """Connections of Home Assistant's to a service.

    Above a number of them, the one that has been silent for longest gives way.
    """

    def __init__(self, service: Service, log: Log) -> None:
        self._service = service
        self._log = log
        self._open: set[_Connection] = set()

    @asynccontextmanager
    async def serving(self, listening: socket) -> AsyncIterator[None]:
        """Serve on a socket within the block."""
        server = await asyncio.start_server(self._connected, sock=listening, limit=LINE_BYTES)
        try:
            yield
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self._service, self._log, reader, writer)
        self._open.add(connection)
        try:
            if self._has_room_for(connection):
                await connection.run()
        except (GoneError, OSError):
            pass  # it is gone, or speaks something else
        except asyncio.TimeoutError:
            pass  # it says nothing any more
        finally:
            self._open.discard(connection)
            connection.close()

    def _has_room_for(self, connection: "_Connection") -> bool:
        """Whether it may stay, after another has given way to it if that was needed."""
        if len(self._open) <= MOST_CONNECTIONS:
            return True
        silent = [one for one in self._open if one is not connection and not one.left]
        if not silent:
            return False
        longest = min(silent, key=lambda one: one.heard_s)
        self._open.discard(longest)
        longest.close()
        return True


class _Connection:
    """One connection. What is said comes in the order in which it was asked for."""

    def __init__(
        self, service: Service, log: Log, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._service = service
        self._log = log
        self._reader = reader
        self._writer = writer
        self._client = str((writer.get_extra_info("peername") or ("unknown",))[0])
        self._asked: asyncio.Queue[tuple[str, str | None] | None] = asyncio.Queue(maxsize=64)
        self.left = 0  # of what was asked for, how much is not said yet
        self.heard_s = time.monotonic()  # when something came
        self._text = ""  # of a text that comes in pieces, what is not asked for yet
        self._streams = False
        self._voice: str | None = None

    def close(self) -> None:
        self._writer.transport.abort()

    async def run(self) -> None:
        speaking = asyncio.ensure_future(self._speak())
        reading = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait({speaking, reading}, return_when=asyncio.FIRST_COMPLETED)
            for task in (speaking, reading):
                if task.done():
                    task.result()
        finally:
            speaking.cancel()
            reading.cancel()
            await asyncio.gather(speaking, reading, return_exceptions=True)

    async def _read(self) -> None:
        """Raises GoneError at the end, or at what is no event."""
        try:
            await self._read_events()
        except (EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise GoneError from error

    async def _read_events(self) -> None:
        settings = self._service.settings
        while True:
            waiting = read_event(self._reader, settings.max_body_bytes)
            event = await asyncio.wait_for(waiting, settings.timeout_s)
            self.heard_s = time.monotonic()
            if Describe.is_type(event.type):
                await self._write(information(self._service))
            elif Synthesize.is_type(event.type):
                if not self._streams:  # within a text in pieces it is the whole again, for older servers
                    whole = Synthesize.from_event(event)
                    await self._ask((whole.text, self._chosen(whole.voice)))
            elif SynthesizeStart.is_type(event.type):
                self._streams, self._text = True, ""
                self._voice = self._chosen(SynthesizeStart.from_event(event).voice)
            elif SynthesizeChunk.is_type(event.type):
                self._text += SPACES.sub(" ", str(SynthesizeChunk.from_event(event).text))
                await self._ask_whole_sentences()
            elif SynthesizeStop.is_type(event.type):
                await self._ask_part(self._text)
                self._streams, self._text = False, ""
                await self._ask(None)

    async def _ask(self, asked: tuple[str, str | None] | None) -> None:
        """Have something said after all else; None: the end of a text in pieces."""
        self.left += 1
        await self._asked.put(asked)

    async def _ask_whole_sentences(self) -> None:
        """Ask for the sentences that have ended; the last may go on."""
        ends = sentence_ends(self._text, language_of(self._text))
        if ends:
            ready, self._text = self._text[: ends[-1]], self._text[ends[-1] :]
            await self._ask_part(ready)
        elif len(self._text) > self._service.settings.max_text_chars:
            raise ValueError("a sentence without end")

    async def _ask_part(self, text: str) -> None:
        """Ask for a part of a text; one of signs alone, as answers end in them, is no reason to break off."""
        if any(char.isalnum() for char in text):
            await self._ask((text, self._voice))

    def _chosen(self, voice: SynthesizeVoice | None) -> str | None:
        """The voice that was asked for, by its name or its language."""
        names = self._service.names
        if voice is not None and voice.name:
            return str(voice.name)
        language = str(voice.language or "")[:2].lower() if voice is not None else ""
        of_language = (one.id for one in names.voices.values() if language and one.language == language)
        return next(of_language, None) or names.aliases.get("alloy") or next(iter(names.voices), None)

    async def _speak(self) -> None:
        while True:
            asked = await self._asked.get()
            if asked is None:
                await self._write(SynthesizeStopped())
                self.left -= 1
                continue
            began_s = time.monotonic()
            notes: Notes = {
                "id": uuid.uuid4().hex,
                "method": "SYNTHESIZE",
                "path": "wyoming",
                "outcome": "gone",
            }
            try:
                await self._say(*asked, notes)
                notes["outcome"] = "ok"
                self.left -= 1
            except GoneError:
                raise
            except Exception as error:
                told = as_api_error(error)
                words = told.logged(text=self._service.settings.log_text)
                notes.update(outcome=outcome_of(told.status), error=words)
                await self._write(Error(text=str(told), code=told.detail.code))
                if told.detail.code == "internal_error":
                    raise
                return  # a client waits for an end of audio that does not come
            finally:
                self._service.metrics.requests.labels("wyoming", notes["outcome"]).inc()
                self._log.line("request", **notes, wall_s=round(time.monotonic() - began_s, 3))

    async def _say(self, text: str, voice: str | None, notes: Notes) -> None:
        rate_hz = self._service.engine.layout.sample_rate_hz
        form: Any = {"rate": rate_hz, "width": SAMPLE_BYTES, "channels": 1}
        try:
            said = Said(input=text, voice=voice)
        except ValidationError as error:
            raise invalid(error.errors()) from None
        notes.update(voice=voice, chars=len(text))
        if self._service.settings.log_text:
            notes["text"] = text
        saying = await self._service.begin(said, self._client, streamed=True)
        try:
            await self._write(AudioStart(**form))
            async for piece in saying.pieces():
                for start in range(0, len(piece.audio), AUDIO_SAMPLES):
                    audio = pcm16(piece.audio[start : start + AUDIO_SAMPLES])
                    await self._write(AudioChunk(**form, audio=audio))
            await self._write(AudioStop())
        finally:
            note_figures(notes, saying)
            saying.end()

    async def _write(self, event: Eventable) -> None:
        """Raises GoneError where it is not taken."""
        writing = async_write_event(event.event(), self._writer)
        try:
            await asyncio.wait_for(writing, self._service.settings.stall_s)
        except (OSError, asyncio.TimeoutError) as error:
            raise GoneError from error


def information(service: Service) -> Info:
    """What Home Assistant learns of a service."""
    voices = [
        TtsVoice(
            name=voice.id,
            description=voice.name,
            attribution=US,
            installed=True,
            version=None,
            languages=[voice.language or "en"],
        )
        for voice in service.names.voices.values()
    ]
    program = TtsProgram(
        name="alrakis",
        description=f"Bark ({service.engine.weights.name})",
        attribution=US,
        installed=True,
        version=__version__,
        voices=voices,
        supports_synthesize_streaming=True,
    )
    return Info(tts=[program])


async def read_event(reader: asyncio.StreamReader, most_bytes: int) -> Event:
    """The next event of a connection, with limits that the package's own reader has not.

    Raises EOFError at the end, and ValueError, KeyError, TypeError or AttributeError for what is no event.
    """
    line = await reader.readline()
    if not line:
        raise EOFError
    head = parse_json(line)
    data = dict(head.get("data") or {})
    lengths = [int(head.get(name) or 0) for name in ("data_length", "payload_length")]
    if min(lengths) < 0 or sum(lengths) > most_bytes:
        raise ValueError("an event is too large")
    if lengths[0]:
        data.update(parse_json(await reader.readexactly(lengths[0])))
    payload = await reader.readexactly(lengths[1]) if lengths[1] else None
    return Event(type=str(head["type"]), data=data, payload=payload)
