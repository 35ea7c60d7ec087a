"""Connections that send nothing, or read nothing, keep nobody else from being heard."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.serve.running import LONG, SHORT, WAIT_S, Running, wait_for


@pytest.fixture(scope="module")
def strict() -> Iterator[Running]:
    with Running(read_s=1.5, stall_s=1.0, max_connections=50) as running:
        yield running


def connect(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S)


def closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("sent", [b"", b"GET /health HTT", b"GET /health HTTP/1.1\r\nhost: localhost\r\nx-"])
def test_a_request_that_does_not_come_is_not_waited_for(strict: Running, sent: bytes) -> None:
    with connect(strict) as connection:
        connection.sendall(sent)
        assert closed(connection)


def test_a_second_request_has_its_time_too(strict: Running) -> None:
    with connect(strict) as connection:
        for _ in range(3):
            time.sleep(0.8)
            connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            answer = b""
            while b'{"status":"ok"}' not in answer:
                answer += connection.recv(4096)
        connection.sendall(b"GET /")
        assert closed(connection)


def test_a_thousand_silent_connections_keep_nobody_out(strict: Running) -> None:
    with ExitStack() as stack:
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
        head = b"POST /v1/audio/speech HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        connection.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        wait_for(lambda: not strict.idle)
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
