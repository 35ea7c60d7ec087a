"""openai's own client."""

import asyncio
import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import soundfile

from tests.serve.running import LONG, SHORT, WAIT_S, Running, first_pieces_only, wait_for

FORMATS: Any = ("mp3", "opus", "aac", "flac", "wav", "pcm")


def client(server: Running, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", timeout=WAIT_S, **options)


@pytest.fixture(scope="module")
def speech(server: Running) -> Iterator[Any]:
    with client(server) as opened:
        yield opened.audio.speech


@pytest.mark.parametrize("form", FORMATS)
def test_each_format(speech: Any, form: Any, tmp_path: Path) -> None:
    answer = speech.create(model="tts-1", voice="alloy", input=SHORT, response_format=form)
    answer.write_to_file(tmp_path / "speech")
    assert (tmp_path / "speech").stat().st_size > 1000


def test_a_voice_as_an_object_and_our_own_fields(speech: Any, server: Running) -> None:
    expected = server.alone(SHORT, "demo/rms", seed=7)
    answer = speech.create(
        model="demo",
        voice={"id": "demo/rms"},
        input=SHORT,
        response_format="wav",
        instructions="Be calm.",
        speed=1.0,
        extra_body={"seed": 7},
    )
    heard = soundfile.read(io.BytesIO(answer.content), dtype="float32")[0]
    assert np.abs(heard - expected).max() < 1e-4
    assert answer.response.headers["x-alrakis-ignored"] == "instructions"


def test_streamed(speech: Any, server: Running) -> None:
    asked: Any = {"model": "tts-1", "voice": "alloy", "input": LONG, "response_format": "pcm"}
    with first_pieces_only(), speech.with_streaming_response.create(**asked) as answer:
        parts = answer.iter_bytes()  # when it goes, the connection does
        assert next(parts)
        assert not server.idle, "the rest is still to come"
    server.wait_idle()


def test_asynchronous(server: Running) -> None:
    async def say() -> None:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", timeout=WAIT_S) as opened:
            one, other = await asyncio.gather(
                *(
                    opened.audio.speech.create(model="tts-1", voice=voice, input=SHORT)
                    for voice in ("alloy", "onyx")
                )
            )
            assert one.content != other.content
            async with opened.audio.speech.with_streaming_response.create(
                model="tts-1", voice="alloy", input=LONG, response_format="mp3"
            ) as answer:
                parts = [part async for part in answer.iter_bytes()]
            assert len(parts) > 1

    asyncio.run(say())


def test_models(server: Running) -> None:
    with client(server) as opened:
        assert "tts-1" in [model.id for model in opened.models.list()]
        assert opened.models.retrieve("tts-1-hd").id == "tts-1-hd"
        with pytest.raises(openai.NotFoundError):
            opened.models.retrieve("none")


def test_errors_are_shown(speech: Any) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        speech.create(model="tts-1", voice="nobody", input=SHORT)
    assert (error.value.param, error.value.code) == ("voice", "voice_not_found")
    assert "there is no voice 'nobody'" in str(error.value)
    with pytest.raises(openai.NotFoundError) as missing:
        speech.create(model="none", voice="alloy", input=SHORT)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="at least 1 character"):
        speech.create(model="tts-1", voice="alloy", input="")


def test_a_key(server: Running) -> None:
    with Running(api_key="a-long-key") as locked:
        for key, right in (("a-long-key", True), ("another-key", False)):
            with openai.OpenAI(base_url=f"{locked.url}/v1", api_key=key, timeout=WAIT_S) as opened:
                if right:
                    opened.audio.speech.create(model="tts-1", voice="alloy", input=SHORT)
                else:
                    with pytest.raises(openai.AuthenticationError):
                        opened.audio.speech.create(model="tts-1", voice="alloy", input=SHORT)


def test_a_full_server_is_asked_again_and_then_answers() -> None:
    with Running(max_queued_s=20) as server, client(server, max_retries=10) as opened:
        long = client(server, max_retries=0)
        body: Any = {"model": "tts-1", "voice": "alloy", "input": LONG, "response_format": "pcm"}
        with ExitStack() as stack:
            with first_pieces_only():
                answer = stack.enter_context(long.audio.speech.with_streaming_response.create(**body))
                with pytest.raises(openai.RateLimitError) as error:
                    long.audio.speech.create(**body)
            assert int(error.value.response.headers["retry-after"]) >= 1
            for _ in answer.iter_bytes():
                pass
        assert len(opened.audio.speech.create(**body).content) > 1000
        long.close()


def test_a_client_who_gives_up(server: Running) -> None:
    async def say() -> None:
        opened = openai.AsyncOpenAI(
            base_url=f"{server.url}/v1", api_key="none", timeout=WAIT_S, max_retries=0
        )
        saying = asyncio.ensure_future(
            opened.audio.speech.create(model="tts-1", voice="alloy", input=LONG, extra_body={"stream": False})
        )
        while server.idle:
            await asyncio.sleep(0.01)
        saying.cancel()
        with pytest.raises((asyncio.CancelledError, openai.APIError)):
            await saying
        await opened.close()

    with server.held():
        asyncio.run(say())
    server.wait_idle()


def test_leaving_a_stream(speech: Any, server: Running) -> None:
    asked: Any = {"model": "tts-1", "voice": "alloy", "input": LONG, "response_format": "pcm"}
    with first_pieces_only():
        with speech.with_streaming_response.create(**asked) as answer:
            next(answer.iter_bytes())
        own_id = answer.headers["x-request-id"]
        wait_for(lambda: server.request_lines(own_id))
    assert server.request_lines(own_id)[0]["outcome"] == "gone"
    server.wait_idle()


def test_events_are_read_by_hand(server: Running) -> None:
    answer = httpx.post(
        f"{server.url}/v1/audio/speech",
        json={"model": "tts-1", "voice": "alloy", "input": SHORT, "stream_format": "sse"},
        timeout=WAIT_S,
    )
    assert "speech.audio.done" in answer.text
