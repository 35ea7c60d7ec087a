"""OpenAI's interface to speech, as its own client and others use it."""

import base64
import io
import json
from contextlib import ExitStack
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from alrakis.serve.encoders import CONTENT_TYPES
from tests.serve.running import LONG, SHORT, WAIT_S, Running, first_pieces_only

RATE = 24_000


def decoded(audio: bytes) -> Any:
    return soundfile.read(io.BytesIO(audio), dtype="float32")[0]


def pcm(audio: bytes) -> Any:
    return np.frombuffer(audio, "<i2").astype(np.float32) / 32768


@pytest.fixture(scope="module")
def alone(server: Running) -> Any:
    """What the engine itself says of the short text."""
    return server.alone(SHORT, "demo/rms", seed=7)


def test_a_text_sounds_as_the_engine_says_it(server: Running, alone: Any) -> None:
    answer = server.post(input=SHORT, voice="demo/rms", seed=7, response_format="wav", model="tts-1")
    assert answer.status_code == 200, answer.text
    audio = decoded(answer.content)
    assert np.abs(audio - alone).max() < 1e-4
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["x-alrakis-seed"] == "7"
    assert float(answer.headers["x-alrakis-seconds"]) == pytest.approx(len(alone) / RATE, abs=0.001)
    assert float(answer.headers["x-alrakis-rtf"]) > 0
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_seed_that_was_drawn_says_the_same_again(server: Running) -> None:
    first = server.post(input=SHORT, response_format="pcm")
    again = server.post(input=SHORT, response_format="pcm", seed=int(first.headers["x-alrakis-seed"]))
    assert first.content == again.content


@pytest.mark.parametrize("form", CONTENT_TYPES)
@pytest.mark.parametrize("stream", [True, False])
def test_each_format(server: Running, form: str, stream: bool) -> None:
    answer = server.post(input=LONG[:120], seed=7, response_format=form, stream=stream)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == CONTENT_TYPES[form]  # type: ignore[index]
    assert ("x-alrakis-seconds" in answer.headers) is not stream
    assert len(answer.content) > 1000


def test_a_stream_is_the_whole_text_and_begins_early(server: Running) -> None:
    expected = server.alone(LONG, "demo/slt", seed=3)
    body = {"input": LONG, "voice": "demo/slt", "seed": 3, "response_format": "pcm"}
    with ExitStack() as stack:
        with first_pieces_only():
            asked = httpx.stream("POST", f"{server.url}/v1/audio/speech", json=body, timeout=WAIT_S)
            answer = stack.enter_context(asked)
            parts = answer.iter_raw()
            audio = next(parts)
            assert not server.idle, "the rest is still to come"
        audio += b"".join(parts)
    assert np.abs(pcm(audio) - expected).max() < 1e-3
    assert answer.headers["x-alrakis-seed"] == "3"


def test_events(server: Running, alone: Any) -> None:
    answer = server.post(input=SHORT, voice="demo/rms", seed=7, response_format="pcm", stream_format="sse")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(part[6:]) for part in answer.text.split("\n\n") if part]
    kinds = [event["type"] for event in events]
    assert kinds == ["speech.audio.delta"] * (len(kinds) - 1) + ["speech.audio.done"]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert np.abs(pcm(audio) - alone).max() < 1e-3
    usage = events[-1]["usage"]
    assert usage["input_tokens"] > 0
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_subtitles_say_what_is_heard_when(server: Running, speed: float) -> None:
    text = "MAN: Suno said it. The morning was cold.\nIt is late."
    body = {"input": text, "cast": {"MAN": "demo/rms"}, "seed": 7, "lexicon": {"words": {"Suno": "soon oh"}}}
    body |= {"response_format": "pcm", "speed": speed}
    answer = server.post(**body, stream_format="sse", subtitles="json")
    events = [json.loads(part[6:]) for part in answer.text.split("\n\n") if part]
    assert [event["type"] for event in events[-2:]] == ["speech.subtitles", "speech.audio.done"]
    assert events[-2]["format"] == "json"
    cues = json.loads(events[-2]["subtitles"])["cues"]
    assert " ".join(cue["text"] for cue in cues).startswith("Suno said it.")
    assert "soon" not in events[-2]["subtitles"]
    assert cues[0]["speaker"] == "MAN"
    audio = pcm(b"".join(base64.b64decode(event["audio"]) for event in events[:-2]))
    loud = np.flatnonzero(np.abs(audio) > 0.02 * np.abs(audio).max()) / RATE
    assert cues[0]["begin"] == pytest.approx(loud[0], abs=0.05)
    assert cues[-1]["end"] == pytest.approx(loud[-1], abs=0.05)


def test_subtitles_come_in_events_alone(server: Running) -> None:
    error = server.post(input=SHORT, subtitles="srt").json()["error"]
    assert error["param"] == "subtitles"
    assert "stream_format" in error["message"]
    error = server.post(input=SHORT, subtitles="ass", stream_format="sse").json()["error"]
    assert error["param"] == "subtitles"


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
@pytest.mark.parametrize("stream", [True, False])
def test_speed(server: Running, alone: Any, speed: float, stream: bool) -> None:
    answer = server.post(
        input=SHORT, voice="demo/rms", seed=7, response_format="wav", speed=speed, stream=stream
    )
    assert len(decoded(answer.content)) == pytest.approx(len(alone) / speed, rel=0.1, abs=2000)
    assert float(answer.headers["x-alrakis-seconds"]) == pytest.approx(len(alone) / RATE / speed, abs=0.01)


def test_instructions_are_told_to_be_ignored(server: Running) -> None:
    answer = server.post(input=SHORT, instructions="Be gentle.", seed=7)
    assert answer.headers["x-alrakis-ignored"] == "instructions"
    assert "x-alrakis-ignored" not in server.post(input=SHORT, seed=7).headers


def test_speakers_have_their_voices(server: Running) -> None:
    text = "MAN: It is late.\nWOMAN: We like pizza."
    cast = {"MAN": "onyx", "WOMAN": {"id": "demo/slt"}}
    expected = server.alone(text, cast={"MAN": "demo/rms", "WOMAN": "demo/slt"}, seed=1)
    answer = server.post(input=text, cast=cast, seed=1, response_format="pcm", stream=False)
    assert np.abs(pcm(answer.content) - expected).max() < 1e-3


def test_options_are_the_engines(server: Running) -> None:
    expected = server.alone(SHORT, seed=1, text_temp=0.0, fine_temp=0.0)
    answer = server.post(input=SHORT, seed=1, text_temp=0, fine_temp=0.0, response_format="pcm")
    assert np.abs(pcm(answer.content) - expected).max() < 1e-3


@pytest.mark.parametrize(
    ("body", "status", "param", "told"),
    [
        ({}, 400, "input", "input"),
        ({"input": ""}, 400, "input", "at least 1 character"),
        ({"input": "   "}, 400, "input", "empty"),
        ({"input": "* * *"}, 400, None, "nothing to say"),
        ({"input": 5}, 400, "input", "string"),
        ({"input": "x" * 20_001}, 400, "input", "20000"),
        ({"input": "half \ud83d"}, 400, None, ""),
        ({"input": SHORT, "voice": "demo/sltt"}, 400, "voice", "did you mean 'demo/slt'"),
        ({"input": SHORT, "voice": "../../etc/passwd"}, 400, "voice", "there is no voice"),
        ({"input": SHORT, "voice": "/etc/passwd.npz"}, 400, "voice", "there is no voice"),
        ({"input": SHORT, "voice": {"name": "x"}}, 400, None, "id"),
        ({"input": SHORT, "voice": 3}, 400, None, ""),
        ({"input": SHORT, "cast": {"MAN": "../x.npz"}}, 400, "cast.MAN", "there is no voice"),
        ({"input": SHORT, "cast": {"MAN": "demo/slt"}}, 400, None, "never speaks"),
        ({"input": SHORT, "lang": "xx"}, 400, None, "no language 'xx'"),
        ({"input": SHORT, "model": "gpt-9"}, 404, "model", "tts-1"),
        ({"input": SHORT, "response_format": "ogg"}, 400, "response_format", "'mp3', 'opus'"),
        ({"input": SHORT, "stream_format": "x"}, 400, "stream_format", "'audio' or 'sse'"),
        ({"input": SHORT, "speed": 5}, 400, "speed", "4"),
        ({"input": SHORT, "speed": "quick"}, 400, "speed", "number"),
        ({"input": SHORT, "seed": -1}, 400, "seed", "0"),
        ({"input": SHORT, "seed": 2**64}, 400, "seed", "less than or equal"),
        ({"input": SHORT, "text_temp": -1}, 400, "text_temp", "0"),
        ({"input": SHORT, "respons_format": "mp3"}, 400, "respons_format", "did you mean 'response_format'"),
        ({"input": SHORT, "a\x1b[31m": 1}, 400, "a\\x1b[31m", "no field"),
    ],
)
def test_mistakes_are_named(
    server: Running, body: dict[str, Any], status: int, param: str | None, told: str
) -> None:
    content = json.dumps(body).encode()  # escapes what is no Unicode
    answer = httpx.post(
        f"{server.url}/v1/audio/speech",
        content=content,
        headers={"content-type": "application/json"},
        timeout=WAIT_S,
    )
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert param is None or error["param"] == param, error
    assert told in error["message"], error
    assert server.idle


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 50_000, b'{"seed": 1' + b"0" * 5000]
)
def test_a_body_that_is_no_object(server: Running, content: bytes) -> None:
    for kind in ("application/json", "text/plain"):
        answer = httpx.post(
            f"{server.url}/v1/audio/speech", content=content, headers={"content-type": kind}, timeout=WAIT_S
        )
        assert answer.status_code == 400, answer.text
        assert "error" in answer.json()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"voice": 5}, "voice"),
        ({"voice": ""}, "voice"),
        ({"voice": {"id": 5}}, "voice.id"),
        ({"voice": {"id": "alloy", "other": 1}}, "voice.other"),
        ({"cast": {"MAN": 5}}, "cast.MAN"),
        ({"cast": {"MAN": {}}}, "cast.MAN.id"),
        ({"cast": {"MAN": "alloy"}}, "cast"),
        ({"lang": "xx"}, "lang"),
        ({"input": "..."}, "input"),
        ({"input": "12 345 ♪"}, None),
        ({"input": "数"}, "input"),
    ],
)
def test_a_mistake_is_told_of_its_field(server: Running, asked: Any, field: str | None) -> None:
    """By the client's names, in one sentence: of a voice only what it was meant to be."""
    answer = server.post(**{"input": SHORT, **asked})
    if field is None:
        assert answer.status_code == 200
        return
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, field)
    assert "; " not in error["message"].partition("did you mean")[0] or field in ("cast", "lang")
    assert not any(word in error["message"] for word in ("constrained", "VoiceId", "as_"))


@pytest.mark.parametrize(
    "body",
    [b'{"input": "\xff"}', b"[" * 100_000, b'{"input": "x", "seed": ' + b"9" * 5000 + b"}", b"\x1f\x8b\x08"],
)
def test_a_body_that_cannot_be_read_says_so(server: Running, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{server.url}/v1/audio/speech", content=body, headers=headers, timeout=WAIT_S)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("the body is no JSON")
