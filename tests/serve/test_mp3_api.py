"""Samples in, an MP3 out."""

import io
import socket
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import soundfile

from alrakis.serve import mp3_api
from tests.serve.running import WAIT_S, Running, wait_for

RATE = 24_000
TONE = (np.sin(np.arange(RATE * 20) / 20) * 8000).astype("<i2")  # more than another request's body may have


def mp3(server: Running, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    return httpx.post(f"{server.url}/api/mp3", content=content, headers=headers, timeout=WAIT_S)


def test_a_file_sounds_as_its_samples(server: Running) -> None:
    assert TONE.nbytes > server.settings.max_body_bytes
    answer = mp3(server, TONE.tobytes())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    heard, rate = soundfile.read(io.BytesIO(answer.content))
    assert rate == RATE
    assert abs(len(heard) - len(TONE)) < RATE / 10
    spectrum = np.abs(np.fft.rfft(heard))
    assert spectrum.argmax() / len(heard) == pytest.approx(1 / (2 * np.pi * 20), rel=1e-3)


def test_samples_that_come_in_halves(server: Running) -> None:
    data = TONE[:RATE].tobytes()
    odd = (data[at : at + 1001] for at in range(0, len(data), 1001))
    assert mp3(server, odd).content == mp3(server, data).content


@pytest.mark.parametrize("content", [b"", b"x", b"xyz"])
def test_what_are_no_samples(server: Running, content: bytes) -> None:
    answer = mp3(server, content)
    assert answer.status_code == 400
    assert "16 bits" in answer.json()["error"]["message"]


def test_more_than_a_file_may_have(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp3_api, "MOST_S", 2)
    for content in (TONE.tobytes(), iter([TONE.tobytes()] * 2)):  # with its length declared, and without
        assert mp3(server, content).status_code == 413


def test_it_asks_for_a_key_and_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with Running(api_key="a-long-key") as locked:
        assert mp3(locked, b"xx").status_code == 401
        assert mp3(locked, b"xx", authorization="Bearer a-long-key").status_code == 200
        monkeypatch.setitem(vars(locked.settings), "read_s", 0.5)  # for a body: the head may take its time
        lines = ("POST /api/mp3 HTTP/1.1", "host: x", "authorization: Bearer a-long-key", "content-length: 9")
        with socket.create_connection(("127.0.0.1", locked.port), WAIT_S) as slow:
            slow.sendall("\r\n".join([*lines, "", "xx"]).encode())
            assert b" 408 " in slow.recv(1 << 16).split(b"\r\n")[0]


def test_few_at_once_and_one_that_goes_away_makes_room(server: Running) -> None:
    head = b"POST /api/mp3 HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000\r\n\r\n"
    count = f"{server.url}/api/mp3"
    waiting = [
        socket.create_connection(("127.0.0.1", server.port), WAIT_S) for _ in range(mp3_api.MOST_AT_ONCE)
    ]
    for one in waiting:
        one.sendall(head)
    wait_for(lambda: httpx.post(count, content=b"xx", timeout=WAIT_S).status_code == 429)
    refused = httpx.post(count, content=b"xx", timeout=WAIT_S)
    assert int(refused.headers["retry-after"]) > 0
    for one in waiting:
        one.close()
    wait_for(lambda: httpx.post(count, content=b"xx", timeout=WAIT_S).status_code == 200)
