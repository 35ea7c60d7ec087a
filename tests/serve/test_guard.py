"""What every request passes: key, size, id, its line in the log."""

import json
import socket
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.serve.running import SHORT, WAIT_S, Running, wait_for

KEYS = "the-first-key,the-second-key"


@pytest.fixture(scope="module")
def locked() -> Iterator[Running]:
    with Running(api_key=KEYS, max_body_bytes=4096, log_text=True) as running:
        yield running


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/api/speech"])
@pytest.mark.parametrize(
    "shown", [None, "Bearer", "Bearer wrong", "Basic the-first-key", "the-first-key", "Bearer é"]
)
def test_without_a_key_nothing_is_said(locked: Running, path: str, shown: str | None) -> None:
    headers = {} if shown is None else {"authorization": shown.encode()}
    answer = httpx.post(f"{locked.url}{path}", json={"input": SHORT}, headers=headers, timeout=WAIT_S)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert locked.get("/metrics").status_code == 401
    assert locked.idle


def test_with_a_key_and_what_needs_none(locked: Running) -> None:
    for key in KEYS.split(","):
        headers = {"authorization": f"bearer {key}"}
        answer = httpx.post(
            f"{locked.url}/v1/audio/speech", json={"input": SHORT}, headers=headers, timeout=WAIT_S
        )
        assert answer.status_code == 200
    for path in (
        "/health",
        "/ready",
        "/v1/models",
        "/v1/audio/voices",
        "/v1/audio/models",
        "/api/about",
        "/",
    ):
        assert locked.get(path).status_code == 200
    assert locked.get("/api/about").json()["key"] is True


def test_a_body_that_is_too_large(locked: Running) -> None:
    headers = {"authorization": "Bearer the-first-key"}
    for content in (b"x" * 5000, iter([b"x" * 1000] * 5)):  # with its length declared, and without
        answer = httpx.post(f"{locked.url}/v1/audio/speech", content=content, headers=headers, timeout=WAIT_S)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


def test_what_is_refused_is_counted_by_what_it_asked_for(locked: Running) -> None:
    """Also where it did not come as far as to a route."""

    def counted(path: str, outcome: str) -> float:
        return float(locked.service.metrics.requests.labels(path, outcome)._value.get())

    path, shown = "/v1/audio/speech", {"authorization": "Bearer the-first-key"}
    before = counted(path, "denied"), counted(path, "invalid"), counted("other", "invalid")
    assert locked.post(path, input=SHORT).status_code == 401
    answer = httpx.post(f"{locked.url}{path}", content=b"x" * 5000, headers=shown, timeout=WAIT_S)
    assert answer.status_code == 413
    assert locked.get("/no/such/path").status_code == 404
    wait_for(
        lambda: (
            (counted(path, "denied"), counted(path, "invalid"), counted("other", "invalid"))
            == tuple(one + 1 for one in before)
        )
    )


def raw(server: Running, head: str, *, then: bytes = b"") -> bytes:
    """What is answered to so much of a request."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + then)
        answer = b""
        while part := connection.recv(4096):
            answer += part
        return answer


def test_a_body_that_does_not_come(locked: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(locked.settings), "read_s", 0.5)  # for the body alone
    answer = raw(
        locked,
        "POST /v1/audio/speech HTTP/1.1\nhost: x\nauthorization: Bearer the-first-key\n"
        "content-length: 100\nconnection: close\n\n",
        then=b"{",
    )
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"did not come in 0.5 s" in answer


@pytest.mark.parametrize("length", ["99999999999999999999999", "-1", "x", "1" * 5000])
def test_lengths_that_are_none(locked: Running, length: str) -> None:
    head = f"POST /health HTTP/1.1\nhost: x\ncontent-length: {length}\nconnection: close\n\n"
    assert raw(locked, head).startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))


def test_ids_and_lines(locked: Running) -> None:
    headers = {"authorization": "Bearer the-first-key", "x-request-id": "mine-1"}
    body = {"input": SHORT, "voice": "alloy", "seed": 7}
    answer = httpx.post(f"{locked.url}/v1/audio/speech", json=body, headers=headers, timeout=WAIT_S)
    assert answer.headers["x-request-id"] == "mine-1"
    wait_for(lambda: locked.request_lines("mine-1"))
    (line,) = locked.request_lines("mine-1")
    assert line["text"] == SHORT  # it was asked for
    assert (line["status"], line["outcome"], line["voice"], line["seed"]) == (200, "ok", "alloy", 7)
    assert line["audio_s"] > 0
    assert line["first_sound_s"] <= line["wall_s"]
    other = locked.get("/health", headers={"x-request-id": "bad id\x7f"})
    assert other.headers["x-request-id"] not in ("bad id\x7f", "")


def test_texts_are_not_in_the_log(server: Running) -> None:
    secret = "Pineapple"
    for path in ("/v1/audio/speech", "/api/speech"):
        for body in ({"input": f"{secret}."}, {"input": f"{secret} " * 3000}, {"input": secret, "other": 1}):
            own_id = server.post(path, **body, seed=1).headers["x-request-id"]
            wait_for(lambda own_id=own_id: server.request_lines(own_id))
    assert secret not in json.dumps(server.lines)


@pytest.mark.parametrize("text", ["Ананас.", "I like pizza.\n\nАнанас."])
@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/audio/speech", {}),
        ("/v1/audio/speech", {"stream": False}),
        ("/v1/audio/speech", {"stream_format": "sse"}),
        ("/api/speech", {}),
    ],
)
def test_an_error_that_quotes_a_text_is_not_in_the_log(
    server: Running, path: str, asked: dict[str, object], text: str
) -> None:
    """Whether the demo voice, which has no such letters, refuses it at once or in the middle."""
    own_id = uuid.uuid4().hex
    try:
        body = {"input": text, "seed": 1, **asked}
        url = f"{server.url}{path}"
        answer = httpx.post(url, json=body, headers={"x-request-id": own_id}, timeout=WAIT_S)
        assert "Ананас" in json.dumps(answer.text, ensure_ascii=False) or answer.status_code == 200
    except httpx.RemoteProtocolError:  # cut off
        pass
    wait_for(lambda: server.request_lines(own_id))
    assert "Ананас" not in json.dumps(server.lines, ensure_ascii=False)
    assert server.request_lines(own_id)[0]["outcome"] in ("invalid", "cut")


def test_lines_that_cannot_be_written_are_counted(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(line: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(server.log, "_write", full)
    assert server.post(input=SHORT).status_code == 200
    assert server.get("/health").status_code == 200
    monkeypatch.undo()
    assert "alrakis_log_failures_total 0.0" not in server.get("/metrics").text


def test_what_breaks_is_a_500_in_the_same_form(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object, **named: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(server.engine, "submit_long", broken)
    answer = server.post(input=SHORT)
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "server_error"
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"]
    wait_for(lambda: server.request_lines(answer.headers["x-request-id"]))
    assert server.request_lines(answer.headers["x-request-id"])[0]["outcome"] == "failed"
    assert server.idle


def test_a_client_is_a_key_where_there_are_several_and_else_an_address(
    locked: Running, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients: list[object] = []
    for running in (locked, server):
        said = running.engine.submit_long
        monkeypatch.setattr(
            running.engine,
            "submit_long",
            lambda *given, said=said, **named: clients.append(named["client"]) or said(*given, **named),
        )
    for key in KEYS.split(","):
        headers = {"authorization": f"Bearer {key}"}
        body = {"input": SHORT}
        httpx.post(f"{locked.url}/v1/audio/speech", json=body, headers=headers, timeout=WAIT_S)
    server.post(input=SHORT)
    assert clients == ["key 0", "key 1", "127.0.0.1"]
