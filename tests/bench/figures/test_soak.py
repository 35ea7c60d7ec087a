"""A server under many clients: nobody hears another, nothing is left behind."""

import functools
from typing import Any

from alrakis.bench.figures import soak as module
from alrakis.bench.figures.soak import soak
from tests.serve.running import Running


def test_a_small_soak() -> None:
    with Running() as server:

        def alone(text: str, voice: str, seed: int) -> Any:
            return list(server.engine.submit_long(text, voice, seed=seed))

        figures = soak(server.port, functools.cache(alone), requests=32, leaving=2)
        assert server.idle
    assert figures.whole + figures.cut == figures.requests == 32
    assert figures.cut >= 5
    assert figures.rubbish > 0
    assert (figures.wrong, figures.slots_left, figures.queued_left) == (0, 0, 0)
    assert figures.health_s
    assert len(figures.freed_s) == 2


def test_another_sound_is_noticed() -> None:
    assert module._same(b"a", b"a", "pcm")
    assert not module._same(b"a", b"b", "pcm")
