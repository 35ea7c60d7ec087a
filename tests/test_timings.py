"""The seconds of a call, by stage."""

import contextlib
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis import Engine
from alrakis.timings import Clock, Timings

SHORT = {"max_gen_duration_s": 0.3, "silent": True}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


def test_timings_add_up(engine: Engine) -> None:
    timings = engine.generate("hello", seed=5, **SHORT).timings
    parts = [timings.text_s, timings.coarse_s, timings.fine_s, timings.codec_s]
    assert all(part > 0 for part in parts)
    assert timings.total_s == pytest.approx(sum(parts) + timings.load_s)


seconds = st.floats(0, 100)
timings = st.builds(Timings, seconds, seconds, seconds, seconds, seconds)


@given(timings, timings)
def test_two_calls_are_added_stage_by_stage(first: Timings, second: Timings) -> None:
    both = first + second
    for name in ("load_s", "text_s", "coarse_s", "fine_s", "codec_s"):
        assert getattr(both, name) == getattr(first, name) + getattr(second, name)
    assert both.total_s == pytest.approx(first.total_s + second.total_s)
    assert first + Timings() == first


def test_a_clock_adds_up_what_a_stage_takes_whatever_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    clock = Clock()
    for took in (1.0, 2.0):
        with clock.time("fine"):
            now += took
    with clock.time("load"), contextlib.suppress(ZeroDivisionError), clock.time("text"):
        now += 4.0
        raise ZeroDivisionError
    assert clock.timings() == Timings(load_s=4.0, text_s=4.0, fine_s=3.0)
    assert Clock().timings() == Timings()


def test_a_clock_tells_whoever_wants_to_know() -> None:
    told: list[tuple[str, float]] = []
    Clock(lambda part, seconds: told.append((part, seconds))).on_move("fine", 0.5)
    Clock().on_move("fine", 0.5)
    assert told == [("fine", 0.5)]
