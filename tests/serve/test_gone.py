"""Work for a client who may go away."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from alrakis.serve.gone import unless_gone
from alrakis.serve.problems import ApiError


def request(*messages: dict[str, Any]) -> Request:
    """A request that receives so much, and then nothing more."""
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return Request({"type": "http"}, receive)


async def work(cancelled: list[str], result: Any = "made", *, ends: bool = True) -> Any:
    try:
        await (asyncio.sleep(0.02) if ends else asyncio.Event().wait())
    except asyncio.CancelledError:
        cancelled.append("yes")
        raise
    if isinstance(result, Exception):
        raise result
    return result


def test_the_result_is_given() -> None:
    assert asyncio.run(unless_gone(request(), work([]))) == "made"
    with pytest.raises(KeyError):
        asyncio.run(unless_gone(request(), work([], KeyError())))


def test_a_client_who_goes_away_ends_it() -> None:
    cancelled: list[str] = []
    gone = request({"type": "http.request"}, {"type": "http.disconnect"})
    with pytest.raises(ApiError) as error:
        asyncio.run(unless_gone(gone, work(cancelled, ends=False)))
    assert error.value.status == 499
    assert cancelled == ["yes"]
