"""Home Assistant's protocol, spoken by its own package."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from alrakis.serve.logs import Logging
from alrakis.serve.wyoming_server import LINE_BYTES, MOST_CONNECTIONS, read_event
from tests.serve.running import LONG, SHORT, WAIT_S, Running, wait_for


@pytest.fixture(scope="module")
def home() -> Iterator[Running]:
    with Running(wyoming=0) as running:
        yield running


@asynccontextmanager
async def connected(home: Running) -> AsyncIterator[AsyncTcpClient]:
    async with AsyncTcpClient("127.0.0.1", home.wyoming_port) as client:
        yield client


async def heard(client: AsyncTcpClient) -> tuple[Any, AudioStart]:
    """The audio up to its end."""
    audio, start = b"", None
    while True:
        event = await asyncio.wait_for(client.read_event(), WAIT_S)
        assert event is not None
        assert not Error.is_type(event.type), event.data
        if AudioStart.is_type(event.type):
            start = AudioStart.from_event(event)
        elif AudioChunk.is_type(event.type):
            audio += AudioChunk.from_event(event).audio
        elif AudioStop.is_type(event.type):
            assert start is not None
            return np.frombuffer(audio, "<i2") / 32768, start


def test_it_tells_what_it_has(home: Running) -> None:
    async def ask() -> Info:
        async with connected(home) as client:
            await client.write_event(Describe().event())
            event = await client.read_event()
            assert event is not None
            return Info.from_event(event)

    (program,) = asyncio.run(ask()).tts
    assert program.supports_synthesize_streaming
    assert [(voice.name, voice.languages) for voice in program.voices] == [
        ("demo/rms", ["en"]),
        ("demo/slt", ["en"]),
    ]


@pytest.mark.parametrize(
    "voice",
    [None, SynthesizeVoice(name="demo/rms"), SynthesizeVoice(language="en_US"), SynthesizeVoice(name="onyx")],
)
def test_a_text_is_said(home: Running, voice: SynthesizeVoice | None) -> None:
    async def say() -> tuple[Any, AudioStart]:
        async with connected(home) as client:
            await client.write_event(Synthesize(SHORT, voice).event())
            return await heard(client)

    audio, start = asyncio.run(say())
    assert (start.rate, start.width, start.channels) == (24_000, 2, 1)
    assert len(audio) / start.rate > 0.1
    assert np.abs(audio).max() > 0.05


def test_a_text_in_pieces_is_said_sentence_by_sentence(home: Running) -> None:
    async def say() -> list[float]:
        seconds = []
        async with connected(home) as client:
            await client.write_event(SynthesizeStart(SynthesizeVoice(name="demo/slt")).event())
            for part in ("It is la", "te. I like\n", "pizza"):
                await client.write_event(SynthesizeChunk(part).event())
            audio, start = await heard(client)  # of the sentence that has ended, before the text has
            seconds.append(len(audio) / start.rate)
            await client.write_event(Synthesize("It is late. I like\npizza.").event())  # for older servers
            await client.write_event(SynthesizeChunk(".").event())
            await client.write_event(SynthesizeStop().event())
            audio, start = await heard(client)
            seconds.append(len(audio) / start.rate)
            event = await client.read_event()
            assert event is not None
            assert SynthesizeStopped.is_type(event.type)
        return seconds

    assert all(0.1 < seconds < 4 for seconds in asyncio.run(say()))


@pytest.mark.parametrize(
    "parts", [["It is late. ", "\U0001f600"], ["... ", "\u2014 It is late.", " \u266a!"]]
)
def test_signs_alone_do_not_break_off_a_text_in_pieces(home: Running, parts: list[str]) -> None:
    async def say() -> Any:
        async with connected(home) as client:
            await client.write_event(SynthesizeStart().event())
            for part in parts:
                await client.write_event(SynthesizeChunk(part).event())
            await client.write_event(SynthesizeStop().event())
            audio, _ = await heard(client)
            event = await client.read_event()
            assert event is not None
            assert SynthesizeStopped.is_type(event.type), event.data
            return audio

    assert len(asyncio.run(say())) > 2000


def test_what_cannot_be_said_is_told(home: Running) -> None:
    async def say(text: Any, voice: str) -> Error:
        async with connected(home) as client:
            await client.write_event(Synthesize(text, SynthesizeVoice(name=voice)).event())
            event = await client.read_event()
            assert event is not None
            assert await client.read_event() is None
            return Error.from_event(event)

    before = len(home.lines)
    assert "there is no voice" in asyncio.run(say(SHORT, "../x.npz")).text
    for text, told in [("", "at least 1 character"), (5, "string"), (None, "string"), (["x"], "string")]:
        answer = asyncio.run(say(text, "demo/slt")).text
        assert answer.startswith("input: ")
        assert told in answer
    assert "200 characters" in asyncio.run(say(SHORT, "x" * 300)).text
    assert "20000" in asyncio.run(say("x" * 30_000, "demo/slt")).text
    wait_for(lambda: len(home.lines) == before + 7)
    assert {line["outcome"] for line in home.lines[before:]} == {"invalid"}


def test_a_defect_is_told_as_one_and_logged(home: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*given: Any, **named: Any) -> Any:
        raise TypeError("broken inside")

    async def say() -> Error:
        async with connected(home) as client:
            await client.write_event(Synthesize(SHORT).event())
            event = await client.read_event()
            assert event is not None
            assert await client.read_event() is None
            return Error.from_event(event)

    monkeypatch.setattr(home.service, "begin", broken)
    with Logging(home.log):
        told = asyncio.run(say())
        wait_for(lambda: any("broken inside" in line.get("trace", "") for line in home.lines))
    assert "broken" not in told.text


def test_what_is_told_of_a_text_is_not_in_the_log(home: Running) -> None:
    async def say() -> Error:
        async with connected(home) as client:
            await client.write_event(Synthesize("Ананас.").event())
            event = await client.read_event()
            while event is not None and not Error.is_type(event.type):
                event = await client.read_event()
            assert event is not None
            return Error.from_event(event)

    assert "Ананас" in asyncio.run(say()).text
    wait_for(lambda: home.lines and "error" in home.lines[-1])
    assert home.lines[-1]["outcome"] == "invalid"
    assert "Ананас" not in json.dumps(home.lines, ensure_ascii=False)


def test_who_goes_away_frees_everything(home: Running) -> None:
    async def say() -> None:
        async with connected(home) as client:
            await client.write_event(Synthesize(LONG * 2).event())
            event = await client.read_event()
            assert event is not None

    asyncio.run(say())
    home.wait_idle()


def test_who_reads_nothing_is_gone_and_nothing_has_failed() -> None:
    with Running(wyoming=0, stall_s=0.5) as hasty, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", hasty.wyoming_port))
        data = {"text": LONG * 60}
        connection.sendall(json.dumps({"type": "synthesize", "data": data}).encode() + b"\n")

        def told() -> list[dict[str, Any]]:
            return [line for line in hasty.lines if line.get("path") == "wyoming"]

        wait_for(told)
        hasty.wait_idle()
        assert [(line["outcome"], line.get("error")) for line in told()] == [("gone", None)]


def test_silent_connections_keep_nobody_out(home: Running) -> None:
    """They give way, the longest silent first, and who is being answered does not."""

    def closed(connection: socket.socket) -> bool:
        try:
            return connection.recv(1) == b""
        except ConnectionError:
            return True

    async def talk() -> float:
        async with connected(home) as client:
            with home.held(), ExitStack() as stack:
                await client.write_event(Synthesize(SHORT).event())
                address = "127.0.0.1", home.wyoming_port
                silent = [
                    stack.enter_context(socket.create_connection(address, WAIT_S))
                    for _ in range(3 * MOST_CONNECTIONS)
                ]
                await asyncio.to_thread(test_it_tells_what_it_has, home)
                assert await asyncio.to_thread(closed, silent[0])
            audio, start = await heard(client)
            return len(audio) / start.rate

    assert asyncio.run(talk()) > 0.1


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 200_000 + b"\n",
        b"[]\n",
        b'{"type": "synthesize"}\n',
        b'{"type": "synthesize", "data": 3}\n',
        json.dumps({"type": "synthesize", "data_length": 10**12}).encode() + b"\n",
        json.dumps({"type": "synthesize", "payload_length": -5}).encode() + b"\n",
        b'{"type": "synthesize-chunk", "data": {"text": 7}}\n{"type": "x"}\nnothing\n',
    ],
)
def test_rubbish_ends_its_own_connection(home: Running, rubbish: bytes) -> None:
    with socket.create_connection(("127.0.0.1", home.wyoming_port), timeout=WAIT_S) as connection:
        try:
            connection.sendall(rubbish)
            while connection.recv(4096):
                pass
        except ConnectionError:
            pass
    test_it_tells_what_it_has(home)


@pytest.mark.parametrize(
    "data", [b"[" * 60_000 + b"\n", b'{"type": "x", "data_length": 9000}\n' + b"[" * 9000]
)
def test_nesting_without_end_is_no_event(data: bytes) -> None:
    """Python's own reader of JSON ends in a RecursionError, which nobody expects."""

    async def read() -> None:
        reader = asyncio.StreamReader(LINE_BYTES)
        reader.feed_data(data)
        await read_event(reader, 1 << 18)

    with pytest.raises(ValueError, match="nested too deeply"):
        asyncio.run(read())
