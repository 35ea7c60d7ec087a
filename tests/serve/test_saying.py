"""One request's speech: its figures, and how it ends."""

import asyncio
from typing import Any

import pytest

from alrakis import Engine
from alrakis.serve.asked import Said
from alrakis.serve.problems import ApiError
from alrakis.serve.saying import Saying
from alrakis.serve.service import Service
from alrakis.serve.settings import load_settings
from tests.serve.running import SHORT, make_engine
from tests.threads import held

LONGER = "It is late. I like pizza. " * 6


@pytest.fixture(scope="module")
def engine() -> Any:
    with make_engine() as engine:
        engine.preload()
        yield engine


async def begun(engine: Engine, text: str, **said: Any) -> tuple[Service, Saying]:
    service = Service(engine, load_settings({}))
    service.loaded()
    return service, await service.begin(Said(input=text, **said), "me", streamed=True)


def test_pieces_and_figures(engine: Engine) -> None:
    async def say() -> None:
        service, saying = await begun(engine, LONGER, seed=7)
        assert len(service.queue) == 1
        pieces = [piece async for piece in saying.pieces()]
        assert len(pieces) == len(saying.chunks) > 1
        assert saying.complete
        assert saying.audio_s == pytest.approx(sum(piece.duration_s for piece in pieces))
        assert saying.first_sound_s is not None
        assert saying.first_sound_s < saying.wall_s
        saying.end()
        saying.end()
        assert len(service.queue) == 0
        assert b"alrakis_rtf_count 1.0" in service.metrics.text()

    asyncio.run(say())


def test_a_stop_reaches_whoever_waits(engine: Engine) -> None:
    async def say() -> None:
        _, saying = await begun(engine, LONGER)
        waiting = asyncio.ensure_future(_all(saying))
        await asyncio.sleep(0.01)
        saying.stop(ApiError(503, "over"))
        with pytest.raises(ApiError, match="over"):
            await waiting
        with pytest.raises(ApiError, match="over"):
            await saying.next()
        saying.end()

    with held(engine._scheduler):
        asyncio.run(say())


async def _all(saying: Saying) -> None:
    async for _ in saying.pieces():
        pass


def test_a_task_that_is_cancelled_is_cancelled(engine: Engine) -> None:
    async def say() -> None:
        _, saying = await begun(engine, LONGER)
        waiting = asyncio.ensure_future(saying.next())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        saying.end()

    with held(engine._scheduler):
        asyncio.run(say())


def test_silence_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def say() -> None:
        service = Service(engine, load_settings({}))
        service.loaded()
        submit = engine.submit_long
        monkeypatch.setattr(
            engine,
            "submit_long",
            lambda *given, **named: submit(*given, **named, min_eos_p=0.0),
        )
        saying = await service.begin(Said(input=SHORT, seed=1), "me", streamed=True)
        with pytest.raises(ApiError, match="no speech was made"):
            await _all(saying)
        saying.end()

    asyncio.run(say())


def test_whoever_gives_up_while_it_begins_leaves_nothing(engine: Engine) -> None:
    async def say() -> None:
        service = Service(engine, load_settings({}))
        service.loaded()
        beginning = asyncio.ensure_future(service.begin(Said(input=LONGER), "me", streamed=True))
        await asyncio.sleep(0)
        beginning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beginning
        assert len(service.queue) == 0
        while any(engine.slots_in_use.values()):
            await asyncio.sleep(0.01)

    asyncio.run(say())
