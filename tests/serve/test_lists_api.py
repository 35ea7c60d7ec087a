"""What a server tells of itself."""

import httpx
import pytest

from alrakis.version import __version__
from tests.serve.running import SHORT, WAIT_S, Running


def test_models_and_voices(server: Running) -> None:
    models = server.get("/v1/models").json()
    assert models["object"] == "list"
    assert {"demo", "tts-1", "tts-1-hd"} <= {model["id"] for model in models["data"]}
    assert server.get("/v1/models/tts-1").json()["id"] == "tts-1"
    missing = server.get("/v1/models/none")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
    assert {"id": "tts-1"} in server.get("/v1/audio/models").json()["models"]
    voices = {voice["id"]: voice for voice in server.get("/v1/audio/voices").json()["voices"]}
    assert voices["demo/slt"] == {
        "id": "demo/slt",
        "name": "Slt",
        "language": "en",
        "language_name": "English",
        "gender": "woman",
    }


def test_about(server: Running) -> None:
    about = server.get("/api/about").json()
    assert (about["version"], about["weights"], about["config"]) == (__version__, "demo", "cpu-fp32")
    assert about["limits"]["max_text_chars"] == 20_000
    assert about["key"] is False


def test_health_and_readiness(server: Running) -> None:
    assert server.get("/health").json() == {"status": "ok"}
    ready = server.get("/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "reason": ""})


def test_figures(server: Running) -> None:
    server.post(input=SHORT)
    server.post(input="")
    text = server.get("/metrics").text
    assert 'alrakis_requests_total{outcome="ok",path="/v1/audio/speech"}' in text
    assert 'alrakis_requests_total{outcome="invalid",path="/v1/audio/speech"}' in text
    for name in ("audio_seconds_total", "queued_seconds", "first_sound_seconds_count", "rtf_count", "ready"):
        assert f"alrakis_{name}" in text
    assert 'alrakis_slots_in_use{part="text"} 0.0' in text


def test_errors_of_the_framework_have_the_same_form(server: Running) -> None:
    for answer, status in (
        (server.get("/nowhere"), 404),
        (server.get("/no/where"), 404),
        (server.get("/v1/audio/speech"), 405),
        (server.post("/health"), 405),
        (server.post("/nowhere"), 405),
    ):
        assert answer.status_code == status
        assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/metrics", "/v1/models", "/openapi.json", "/", "/style.css"]
)
def test_what_can_be_got_can_be_asked_for_its_head(server: Running, path: str) -> None:
    """As those do who watch a server."""
    whole, head = server.get(path), httpx.head(f"{server.url}{path}", timeout=WAIT_S)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert httpx.head(f"{server.url}/nothing", timeout=WAIT_S).status_code == 404
    assert httpx.head(f"{server.url}/v1/audio/speech", timeout=WAIT_S).status_code == 405
