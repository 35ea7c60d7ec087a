"""The application: its description of itself, origins, and what it answers to what that allows."""

from collections.abc import Iterator
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode, checks

from tests.serve.running import SHORT, WAIT_S, Running

ORIGIN = "https://chat.example"


@pytest.fixture(scope="module")
def open_to_pages() -> Iterator[Running]:
    with Running(cors=f"{ORIGIN}, http://localhost:8080", api_key="a-long-key") as running:
        yield running


def test_pages_of_other_origins_may_call_only_where_that_is_allowed(
    open_to_pages: Running, server: Running
) -> None:
    asks = {"origin": ORIGIN, "access-control-request-method": "POST"}
    asks["access-control-request-headers"] = "authorization,content-type"
    url = "/v1/audio/speech"
    allowed = httpx.options(f"{open_to_pages.url}{url}", headers=asks, timeout=WAIT_S)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    elsewhere = {**asks, "origin": "https://evil.example"}
    other = httpx.options(f"{open_to_pages.url}{url}", headers=elsewhere, timeout=WAIT_S)
    assert "access-control-allow-origin" not in other.headers
    refused = httpx.post(f"{open_to_pages.url}{url}", json={}, headers={"origin": ORIGIN}, timeout=WAIT_S)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)
    said = httpx.post(
        f"{open_to_pages.url}{url}",
        json={"input": SHORT},
        headers={"origin": ORIGIN, "authorization": "Bearer a-long-key"},
        timeout=WAIT_S,
    )
    assert "x-alrakis-seed" in said.headers["access-control-expose-headers"]
    closed = httpx.options(f"{server.url}{url}", headers=asks, timeout=WAIT_S)
    assert "access-control-allow-origin" not in closed.headers


def test_a_form_of_another_page_is_not_taken(server: Running) -> None:
    """Browsers send such a one without asking first."""
    answer = httpx.post(
        f"{server.url}/v1/audio/speech",
        content=b'{"input": "Hi."}',
        headers={"content-type": "text/plain"},
        timeout=WAIT_S,
    )
    assert answer.status_code == 400


def test_it_describes_itself(server: Running) -> None:
    schema = server.get("/openapi.json").json()
    speech = schema["paths"]["/v1/audio/speech"]["post"]
    assert "HTTPValidationError" not in str(schema["paths"])
    assert {"200", "400", "401", "404", "413", "422", "429", "500", "503"} <= speech["responses"].keys()
    fields = schema["components"]["schemas"]["SpeechRequest"]["properties"]
    assert {"input", "voice", "response_format", "speed", "stream_format", "seed", "cast", "lang"} <= set(
        fields
    )
    assert server.get("/docs").status_code == 404


CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]
OPERATIONS = [
    ("POST", "/v1/audio/speech", 12),
    ("POST", "/api/speech", 8),
    ("POST", "/api/mp3", 8),
    *(
        ("GET", path, 3)
        for path in (
            "/v1/models",
            "/v1/models/{model}",
            "/v1/audio/models",
            "/v1/audio/voices",
            "/api/about",
            "/health",
            "/ready",
            "/metrics",
        )
    ),
]


def test_every_operation_is_tried(server: Running) -> None:
    described = server.get("/openapi.json").json()["paths"]
    told = {(method.upper(), path) for path, methods in described.items() for method in methods}
    assert told == {(method, path) for method, path, _ in OPERATIONS}


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("method", "path", "count"), OPERATIONS)
def test_whatever_its_description_allows_is_answered_as_it_says(
    server: Running, method: str, path: str, count: int, mode: GenerationMode
) -> None:
    """By its strategies alone: schemathesis' plugin does not know this pytest."""
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    operation = schema[path][method]
    try:
        cases = operation.as_strategy(generation_mode=mode)
    except hypothesis.errors.HypothesisException:
        return

    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=True,
        database=None,
    )
    @hypothesis.given(case=cases)
    def tried(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=WAIT_S)

    try:
        tried()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "there is nothing that could be wrong"
