"""The page's own interface: what is made, told in events."""

import base64
import json
from typing import Any

import httpx
import numpy as np

from alrakis.serve.page_api import page_assets
from tests.serve.running import LONG, SHORT, WAIT_S, Running, wait_for


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    parts = [part.split("\n") for part in text.split("\n\n") if part and not part.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in parts]


def test_everything_is_told(server: Running) -> None:
    expected = server.engine.submit_long(LONG, "demo/slt", seed=5).result()
    answer = server.post("/api/speech", input=LONG, voice="demo/slt", seed=5)
    told = events(answer.text)
    assert [name for name, _ in told][:2] == ["queued", "plan"]
    assert told[0][1].keys() == {"id", "place", "seconds_ahead"}
    plan = told[1][1]
    assert (plan["sample_rate"], plan["seed"]) == (24_000, 5)
    assert [chunk["text"] for chunk in plan["chunks"]] == [p.chunk.text for p in expected.pieces]
    assert [chunk["seed"] for chunk in plan["chunks"]] == [p.result.seed for p in expected.pieces]
    pauses = [round(chunk["pause_s"] * 24_000) for chunk in plan["chunks"]]
    assert pauses[0] > 0
    assert all(not p.audio[len(p.audio) - n :].any() for p, n in zip(expected.pieces, pauses, strict=True))
    chunks = [data for name, data in told if name == "chunk"]
    assert [chunk["index"] for chunk in chunks] == list(range(len(plan["chunks"])))
    audio = np.frombuffer(b"".join(base64.b64decode(chunk["audio"]) for chunk in chunks), "<i2")
    assert np.abs(audio / 32768 - expected.audio).max() < 1e-3
    for data in (data for name, data in told if name == "progress"):
        assert data["part"] in ("text", "coarse", "fine", "codec")
        assert data["seconds"] >= 0
    name, done = told[-1]
    assert name == "done"
    assert done["seconds"] > 0
    assert 0 < done["first_sound_s"] <= done["wall_s"]


def test_mistakes_come_before_events_and_what_goes_wrong_later_in_one(server: Running) -> None:
    answer = server.post("/api/speech", input=SHORT, voice="x")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "voice")
    assert server.post("/api/speech", input=SHORT, speed=2).json()["error"]["param"] == "speed"
    later = server.post("/api/speech", input="It is late.\n\nЭто дом.\n\nIt is late.", seed=1)
    assert later.status_code == 200
    name, data = events(later.text)[-1]
    assert name == "error"
    assert "can say nothing of" in data["message"]
    own_id = later.headers["x-request-id"]
    wait_for(lambda: server.request_lines(own_id))
    assert server.request_lines(own_id)[0]["outcome"] == "cut"


def test_closing_the_connection_cancels(server: Running) -> None:
    body = {"input": LONG, "seed": 1}
    with server.held(begun=True) as stands:
        with httpx.stream("POST", f"{server.url}/api/speech", json=body, timeout=WAIT_S) as answer:
            parts = answer.iter_raw()  # when it goes, the connection does
            next(parts)
            assert stands.wait(WAIT_S)
        own_id = answer.headers["x-request-id"]
        wait_for(lambda: server.request_lines(own_id))
    server.wait_idle()
    assert server.request_lines(own_id)[0]["outcome"] == "gone"


def test_the_page(server: Running) -> None:
    page = server.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert server.get("/", headers={"if-none-match": page.headers["etag"]}).status_code == 304
    for name, asset in page_assets().items():
        answer = server.get(f"/{name}")
        assert answer.content == asset.content
        if name.endswith(".js"):
            assert answer.headers["content-type"].startswith("text/javascript")  # or it is not run
    for name in ("..%2fapp.py", "%2e%2e/app.py", "page/index.html", "aliases.toml"):
        assert server.get(f"/{name}").status_code == 404
