"""Pages of other sites, and names that lead here: what a server that asks for no key lets in."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from alrakis.serve.callers import check_caller
from alrakis.serve.problems import ApiError
from alrakis.serve.settings import load_settings
from tests.serve.running import SHORT, WAIT_S, Running

PATHS = ["/", "/health", "/v1/models", "/v1/audio/voices", "/metrics", "/api/about", "/openapi.json"]
SPEAKING = [
    ("/v1/audio/speech", b'{"input": "I like pizza."}'),
    ("/api/speech", b'{"input": "I like pizza."}'),
    ("/api/mp3", b"\0\0" * 100),
]
EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def keyed() -> Iterator[Running]:
    with Running(api_key="a-long-key") as running:
        yield running


def refused(answer: httpx.Response, status: int, code: str) -> str:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    return str(answer.json()["error"]["message"])


@pytest.mark.parametrize("path", PATHS)
def test_a_name_that_has_come_to_mean_this_machine_is_not_served(server: Running, path: str) -> None:
    answer = server.get(path, headers={"host": f"evil.example:{server.port}"})
    message = refused(answer, 421, "host_not_allowed")
    assert "evil.example" in message
    assert "--api-key" in message
    assert "--open" in message


@pytest.mark.parametrize(("path", "body"), SPEAKING)
def test_nor_does_it_speak(server: Running, path: str, body: bytes) -> None:
    headers = {"host": "evil.example", "content-type": "application/json", "origin": "http://evil.example"}
    answer = httpx.post(f"{server.url}{path}", content=body, headers=headers, timeout=WAIT_S)
    refused(answer, 421, "host_not_allowed")
    assert server.idle


@pytest.mark.parametrize(("path", "body"), SPEAKING)
@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1", "http://localhost"])
def test_what_a_browser_sends_for_a_page_without_asking_first(
    server: Running, path: str, body: bytes, kind: str | None, origin: str
) -> None:
    headers = {"origin": origin, **({} if kind is None else {"content-type": kind})}
    answer = httpx.post(f"{server.url}{path}", content=body, headers=headers, timeout=WAIT_S)
    message = refused(answer, 403, "origin_not_allowed")
    assert origin in message
    assert "--cors" in message
    assert server.idle


def test_the_page_itself_and_programs_are_served(server: Running) -> None:
    for headers in (
        {},
        {"origin": server.url},
        {"host": f"localhost:{server.port}", "origin": f"http://localhost:{server.port}"},
        {"host": "[::1]:9"},
    ):
        answer = httpx.post(
            f"{server.url}/v1/audio/speech", json={"input": SHORT}, headers=headers, timeout=WAIT_S
        )
        assert answer.status_code == 200, headers


def test_with_a_key_any_name_and_any_page_will_do(keyed: Running) -> None:
    headers = {"host": "speech.example", "origin": EVIL}
    assert keyed.get("/v1/models", headers=headers).status_code == 200
    headers["authorization"] = "Bearer a-long-key"
    answer = httpx.post(
        f"{keyed.url}/v1/audio/speech", json={"input": SHORT}, headers=headers, timeout=WAIT_S
    )
    assert answer.status_code == 200


OWN = "localhost LOCALHOST localhost. localhost:8000 127.0.0.1 127.0.0.1:1 127.9.8.7 [::1] [::1]:80 [0:0::1]"
OTHER = (
    "evil.example localhost.evil.example 127.0.0.1.evil.example evil.example:8000 127.0.0.1:evil.example "
    "[::1 [evil] [::2]:8000 0.0.0.0 192.168.1.5 ١٢٧.٠.٠.١ 127.1.evil xn--localhost :8000 "
    "localhost,evil.example"
)


def allowed(method: str, headers: dict[str, str], **settings: Any) -> bool:
    try:
        check_caller(method, headers, load_settings(settings))
    except ApiError:
        return False
    return True


@pytest.mark.parametrize("name", OWN.split())
def test_names_of_this_machine(name: str) -> None:
    assert allowed("POST", {"host": name})


@pytest.mark.parametrize("name", ["", "local host", "::1 x", *OTHER.split()])
def test_other_names(name: str) -> None:
    assert not allowed("GET", {"host": name})
    for settings in ({"open": True}, {"api_key": "a-long-key"}, {"host": "0.0.0.0", "open": True}):
        assert allowed("GET", {"host": name}, **settings)


def test_the_address_it_listens_on_and_no_name_at_all() -> None:
    assert allowed("GET", {"host": "127.0.0.2:80"}, host="127.0.0.2")
    assert allowed("GET", {"host": "localhost"}, host="localhost")
    assert allowed("GET", {})  # HTTP/1.0: no browser


@pytest.mark.parametrize(
    ("origin", "cors", "expected"),
    [
        (EVIL, "", False),
        (EVIL, EVIL, True),
        (EVIL, "https://other.example", False),
        (EVIL, "*", True),
        ("null", "", False),
        ("http://localhost:8000", "", True),
        ("http://LOCALHOST:8000", "", True),
        ("https://localhost:8000", "", True),  # a proxy speaks TLS
        ("http://localhost:8001", "", False),
        ("http://localhost", "", False),
        ("http://localhost:8000.evil.example", "", False),
        ("ftp://localhost:8000", "", False),
        ("", "", False),
    ],
)
def test_origins(origin: str, cors: str, expected: bool) -> None:
    headers = {"host": "localhost:8000", "origin": origin}
    assert allowed("POST", headers, cors=cors) is expected
    assert allowed("GET", headers, cors=cors)  # it cannot be read
