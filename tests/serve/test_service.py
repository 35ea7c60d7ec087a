"""One engine for many: slots are freed, turns are shared, and what does not fit is told."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from alrakis.errors import WeightsError
from alrakis.serve import service
from alrakis.serve.asked import Said
from alrakis.serve.problems import ApiError
from alrakis.serve.saying import Saying
from alrakis.serve.service import Service
from tests.serve.running import LONG, SHORT, WAIT_S, Running, wait_for


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    with Running(max_queued_s=40) as running:
        yield running


def cut_off(server: Running, **body: Any) -> None:
    """Ask for a text, and close the connection while it is made."""
    with httpx.Client(timeout=WAIT_S) as client, server.held(begun=True) as stands:
        gone = threading.Thread(target=lambda: (stands.wait(WAIT_S), close(client)))
        gone.start()
        with pytest.raises((httpx.HTTPError, RuntimeError, OSError)):
            client.post(f"{server.url}/v1/audio/speech", json=body)
        gone.join()


def close(client: httpx.Client) -> None:
    for connection in list(client._transport._pool.connections):  # type: ignore[attr-defined]
        stream = connection._connection._network_stream
        stream._sock.shutdown(2)


@pytest.mark.parametrize("body", [{"stream": False}, {"stream": True}, {"stream_format": "sse"}])
def test_a_client_who_goes_away_frees_everything(small: Running, body: dict[str, Any]) -> None:
    before = len(small.lines)
    cut_off(small, input=LONG, **body)
    small.wait_idle()
    wait_for(lambda: any(line.get("outcome") == "gone" for line in small.lines[before:]))


def test_more_than_fits_is_told_when_to_come_again(small: Running) -> None:
    bodies = [{"input": LONG, "seed": seed, "stream": False} for seed in range(4)]
    with ThreadPoolExecutor(8) as pool:
        with small.held():
            asked = [pool.submit(small.post, **body) for body in bodies]
            wait_for(lambda: any(one.done() for one in asked))
        answers = [one.result() for one in asked]
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 200
    assert codes[-1] == 429
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["retry-after"]) < 600
    assert refused.headers["x-should-retry"] == "true"
    assert refused.json()["error"]["code"] == "queue_full"
    small.wait_idle()


def test_many_at_once_hear_what_they_would_alone(server: Running) -> None:
    bodies = [
        {"input": text, "voice": voice, "seed": seed, "response_format": "pcm", "stream": seed % 2 == 0}
        for seed, (text, voice) in enumerate(
            [(SHORT, "demo/slt"), ("It is late.", "demo/rms"), (LONG[:120], "demo/slt"), ("Yes.", "demo/rms")]
            * 2
        )
    ]
    alone = [server.post(**body).content for body in bodies]
    with ThreadPoolExecutor(len(bodies)) as pool:
        together = [answer.content for answer in pool.map(lambda body: server.post(**body), bodies)]
    assert together == alone


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    with Running(timeout_s=0.01) as server:
        with server.held():
            answer = server.post(input=LONG, stream=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
        assert answer.headers["x-should-retry"] == "false"
        server.wait_idle()


def test_a_text_waits_for_the_weights_but_not_for_ever(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(loading: Service) -> Saying:
        return await loading.begin(Said(input=SHORT), "me", streamed=True)

    async def late() -> None:
        loading = Service(server.engine, server.settings)
        asking = asyncio.ensure_future(ask(loading))
        await asyncio.sleep(0.05)
        assert not asking.done()
        loading.loaded()
        saying = await asking
        saying.end()

    monkeypatch.setattr(service, "PATIENCE_S", 0.05)
    with pytest.raises(ApiError) as error:
        asyncio.run(ask(Service(server.engine, server.settings)))
    assert (error.value.status, error.value.detail.code) == (503, "loading")
    assert error.value.headers["retry-after"]
    monkeypatch.undo()
    asyncio.run(late())


def test_weights_that_cannot_be_had_are_told(server: Running) -> None:
    async def ask() -> None:
        failing = Service(server.engine, server.settings)
        asking = asyncio.ensure_future(failing.begin(Said(input=SHORT), "me", streamed=True))
        await asyncio.sleep(0)
        failing.failed(WeightsError("damaged"))
        assert (failing.state, failing.ready, failing.reason) == ("failed", False, "damaged")
        with pytest.raises(ApiError, match="damaged"):
            await asking

    asyncio.run(ask())


def test_a_stop_finishes_what_is_under_way_and_tells_the_rest() -> None:
    with Running(grace_s=WAIT_S) as server, ThreadPoolExecutor(2) as pool:
        with server.held():
            under_way = pool.submit(server.post, input=SHORT, stream=False)
            wait_for(lambda: not server.idle)
            server.end()
            wait_for(lambda: server.service.state == "stopping")
            assert server.get("/ready").status_code == 503
            late = server.post(input=SHORT)
            assert (late.status_code, late.json()["error"]["code"]) == (503, "stopping")
        assert under_way.result().status_code == 200


def test_what_is_not_finished_in_time_is_told() -> None:
    with Running(grace_s=0) as server, ThreadPoolExecutor(2) as pool:
        with server.held(begun=True) as stands:
            under_way = pool.submit(server.post, input=LONG, stream=False)
            assert stands.wait(WAIT_S)
            server.end()
            answer = under_way.result()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")
