"""Connections that send nothing, or read nothing, keep nobody else from being heard."""

import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from alrakis.serve import guard
from tests.serve.running import LONG, SHORT, WAIT_S, Running, wait_for


@pytest.fixture(scope="module")
def strict() -> Iterator[Running]:
    with Running(stall_s=1.0, max_connections=50) as running:
        yield running


def connect(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S)


def closed(connection: socket.socket, sent: bytes = b"") -> bool:
    """Whether the server closes it, when it was sent so much."""
    try:
        connection.sendall(sent)
        return connection.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET /health HTT", b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-"])
def test_a_request_that_does_not_come_is_not_waited_for(sent: bytes) -> None:
    with Running(read_s=0.5) as hasty, connect(hasty) as connection:
        assert closed(connection, sent)


def healthy(connection: socket.socket) -> None:
    connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
    answer = b""
    while b'{"status":"ok"}' not in answer:
        part = connection.recv(4096)
        assert part, answer
        answer += part


def test_a_second_request_has_its_time_too(server: Running) -> None:
    def own() -> Any:
        connections = list(server.server.server_state.connections)
        return next((one for one in connections if one.client == client.getsockname()), None)

    with connect(server) as client:
        wait_for(own)
        timers = [own()._timer]
        for _ in range(3):
            healthy(client)
            wait_for(lambda: own()._timer is not timers[-1])
            assert timers[-1].cancelled()
            timers.append(own()._timer)
        assert sorted(timers, key=lambda timer: timer.when()) == timers
        own().head_s = 0.5
        healthy(client)
        assert closed(client, b"GET /")


@contextmanager
def many_files() -> Iterator[None]:
    """As many as the system allows: often it lets a process have 1,024 unless that asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_silent_connections_keep_nobody_out(strict: Running) -> None:
    with many_files(), ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(connect(strict))
        assert strict.get("/health").status_code == 200
        assert strict.post(input=SHORT).status_code == 200
        wait_for(lambda: len(strict.server.server_state.connections) <= 51)


def test_a_client_who_reads_nothing_is_cut_off(strict: Running) -> None:
    asked = {"input": LONG * 5, "response_format": "wav", "seed": 1, "speed": 0.25}
    body = json.dumps(asked).encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", strict.port))
        head = "POST /v1/audio/speech HTTP/1.1", "host: localhost", "content-type: application/json"
        lines = [*head, f"content-length: {len(body)}", "x-request-id: reads-nothing", "", ""]
        connection.sendall("\r\n".join(lines).encode() + body)
        wait_for(lambda: strict.request_lines("reads-nothing"))
        strict.wait_idle()
    assert strict.get("/health").status_code == 200


def test_rubbish_is_refused(strict: Running) -> None:
    for rubbish in (b"\x16\x03\x01\x02\x00" * 100, b"GET\r\n\r\n", b"x" * 200_000, b"GET / HTTP/9.9\r\n\r\n"):
        with connect(strict) as connection:
            try:
                connection.sendall(rubbish)
                answer = connection.recv(4096)
            except ConnectionError:
                continue
            assert answer in (b"",) or answer.startswith(b"HTTP/1.1 "), rubbish[:20]
    assert strict.get("/health").status_code == 200


def read_to_end(connection: socket.socket) -> bytes:
    answer = b""
    try:
        while part := connection.recv(1 << 16):
            answer += part
    except ConnectionError:
        pass
    return answer


HEAD = b"POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx-a: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx-a: " + b"a" * 100_000,
        HEAD + b"content-length: -5\r\n\r\n",
        HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_no_http_is_told_as_any_mistake(server: Running, sent: bytes) -> None:
    before = len(server.lines)
    with connect(server) as connection:
        connection.sendall(sent)
        head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/json" in head
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert "Traceback" not in json.dumps(server.lines[before:])


def test_what_is_no_http_after_an_answer_has_begun(
    server: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    """The answer came early, as the body was too large; what follows of the body is none."""
    with connect(server) as connection:
        large = b"%x\r\n" % (1 << 19)
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n" + large + b"x" * (1 << 19) + b"\r\n")
        answer = b""
        while b"request_too_large" not in answer:
            answer += connection.recv(4096)
        connection.sendall(b"xyz\r\n" * 100)
        read_to_end(connection)
    with connect(server) as other:
        healthy(other)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("declared", [True, False])
def test_who_closes_after_a_body_that_is_too_large_reads_why(
    server: Running, declared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late the rest of it comes: closed with something unread, the answer would be lost."""
    monkeypatch.setattr(guard, "DRAIN_S", WAIT_S)
    part = b"x" * (1 << 16)
    how = b"content-length: %d" % (16 * len(part)) if declared else b"transfer-encoding: chunked"
    with connect(server) as connection:
        connection.sendall(HEAD + b"connection: close\r\n" + how + b"\r\n\r\n")
        for _ in range(16):
            connection.sendall(part if declared else b"%x\r\n%s\r\n" % (len(part), part))
            time.sleep(0.02)
        connection.sendall(b"" if declared else b"0\r\n\r\n")
        head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body)["error"]["code"] == "request_too_large"
