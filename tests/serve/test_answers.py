"""Answers that are sent while they are made."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from alrakis.errors import InputError
from alrakis.serve.answers import ERRORS, Sounding, as_cut, event
from alrakis.serve.guard import CutError


class Said:
    """As much of a saying as an answer looks at."""

    seed, chunks, audio_s, first_sound_s, rtf, error = 7, ["one"], 1.5, 0.25, None, 0.125

    def __init__(self) -> None:
        self.ended = 0

    def end(self) -> None:
        self.ended += 1


async def parts(*given: bytes, error: BaseException | None = None) -> AsyncIterator[bytes]:
    for part in given:
        yield part
    if error is not None:
        raise error


def sent(body: AsyncIterator[bytes]) -> tuple[Said, dict[str, Any], bytes]:
    said, notes, messages = Said(), {}, []
    answer = Sounding(body, said, notes)  # type: ignore[arg-type]

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        messages.append(message)

    with suppress(CutError, ZeroDivisionError, OSError):
        asyncio.run(answer({"type": "http", "asgi": {}}, receive, send))
    return said, notes, b"".join(message.get("body", b"") for message in messages)


def test_empty_parts_are_left_out_and_the_saying_ends() -> None:
    said, notes, body = sent(parts(b"a", b"", b"b"))
    assert (said.ended, body) == (1, b"ab")
    figures = {"audio_s": 1.5, "first_sound_s": 0.25, "rtf": None, "take_error": 0.125}
    assert notes == {"seed": 7, "chunks": 1, **figures}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (CutError("told"), "cut"),
        (ZeroDivisionError(), "failed"),
        (OSError("nobody listens"), "gone"),
    ],
)
def test_one_that_is_cut_off_ends_its_saying_too(error: BaseException, outcome: str) -> None:
    """And whoever ended it is told: the client goes, the server cuts, a defect fails."""
    said, notes, body = sent(parts(b"a", error=error))
    assert (said.ended, body, notes["outcome"]) == (1, b"a", outcome)


def test_events_are_lines() -> None:
    assert event({"a": "b\nc"}, "name") == b'event: name\ndata: {"a": "b\\nc"}\n\n'
    assert json.loads(event({"a": 1})[6:]) == {"a": 1}


def test_what_is_told_cuts_and_a_defect_stays_one() -> None:
    assert isinstance(as_cut(InputError("told"), text=False), CutError)
    defect = ZeroDivisionError()
    assert as_cut(defect, text=False) is defect


@pytest.mark.parametrize("status", [400, 401, 404, 408, 413, 422, 429, 500, 503, 504])
def test_errors_are_described(status: int) -> None:
    assert status in ERRORS
