"""Texts under way: handles, async forms, many threads, Ctrl-C, and mistakes that are their caller's alone."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from alrakis import Engine
from alrakis.errors import AlrakisError, BackendError, InputError, VoiceError
from alrakis.result import Result
from tests.long.spoken import SHORT, text_of
from tests.results import same
from tests.threads import WAIT_S, held, no_worker_stays

LONG = {"allow_early_stop": False, "max_gen_duration_s": 4.0}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    quick = {"fine_window": "fitted", "trades": "a test"}
    with Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=3, **quick) as made:
        made.preload()
        made.generate("hello", seed=1, silent=True, **SHORT)
        yield made


def rest(engine: Engine) -> None:
    """Wait until nothing is under way."""
    with engine._scheduler.resting():
        pass


def in_slots(engine: Engine) -> bool:
    """Whether anything is in the middle of a causal stage."""
    return any(engine.slots_in_use.values())


def alone(engine: Engine, text: str, seed: int) -> Result:
    return engine.generate(text, seed=seed, silent=True, **SHORT)


def test_a_handle_gives_what_generate_gives(engine: Engine) -> None:
    voice = alone(engine, "a voice", 3)
    handle = engine.submit("hello", voice, seed=5, **SHORT)
    made = handle.result()
    assert same(made, engine.generate("hello", voice, seed=5, silent=True, **SHORT))
    assert (made.text, made.seed, handle.part) == ("hello", 5, "codec")
    assert handle.seconds == pytest.approx(made.duration_s)
    assert made.timings.text_s > 0
    assert engine.submit("hello", **SHORT).result().seed != engine.submit("hello", **SHORT).result().seed


def test_a_handle_says_how_far_it_is(engine: Engine) -> None:
    seen: list[Any] = []

    def watch() -> bool:
        if handle.part is not None and handle.part not in seen:
            seen.append(handle.part)
        return handle.part == "coarse"

    with held(engine._scheduler, when=watch) as stands:
        with engine._scheduler.resting():
            handle = engine.submit("hello", seed=5, **LONG)
        assert stands.wait(WAIT_S)
        assert handle.cancel()
    assert seen == ["text", "coarse"]
    assert 0 < handle.seconds < 4
    rest(engine)


def test_whoever_is_cancelled_disturbs_nobody_and_leaves_his_slot(engine: Engine) -> None:
    expected = [alone(engine, f"text {i}", i) for i in range(3)]
    with held(engine._scheduler, when=lambda: engine.slots_in_use["text"] == 3) as stands:
        given_up = [engine.submit("given up", seed=i, **LONG) for i in range(3)]
        assert stands.wait(WAIT_S)
        others = [engine.submit(f"text {i}", seed=i, **SHORT) for i in range(3)]
        assert all(handle.cancel() for handle in given_up)
    assert all(same(other.result(), own) for other, own in zip(others, expected, strict=True))
    for handle in given_up:
        with pytest.raises(CancelledError):
            handle.result()
    rest(engine)
    assert all(slots._of == {} for slots in engine._scheduler._slots.values())


def test_functions_are_called_when_it_is_done_and_may_submit_more(engine: Engine) -> None:
    ended = threading.Event()
    made: list[Any] = []

    def more(handle: Any) -> None:
        made.append(handle.result())
        if len(made) < 3:
            engine.submit("hello", seed=len(made), **SHORT).add_done_callback(more)
        else:
            ended.set()

    engine.submit("hello", seed=0, **SHORT).add_done_callback(more)
    assert ended.wait(WAIT_S)
    assert all(same(own, alone(engine, "hello", seed)) for seed, own in enumerate(made))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, InputError),
        ({"text": 5}, InputError),
        ({"text": ["a list"]}, InputError),
        ({"text": "x", "voice": "v2/en_speaker_61"}, VoiceError),
        ({"text": "x", "voice": [None, None]}, InputError),
        ({"text": "x", "text_temp": float("nan")}, InputError),
        ({"text": "x", "seed": -1}, InputError),
        ({"text": "x", "seed": [1, 2]}, InputError),
    ],
)
def test_mistakes_are_told_at_once_and_are_nobody_elses(
    engine: Engine, arguments: dict[str, Any], error: type[Exception]
) -> None:
    other = engine.submit("hello", seed=5, **SHORT)
    with pytest.raises(error):
        engine.submit(**arguments)
    with pytest.raises(error):
        asyncio.run(engine.generate_async(**arguments))
    assert same(other.result(), alone(engine, "hello", 5))


def test_what_a_callback_raises_reaches_its_own_caller(engine: Engine) -> None:
    other = engine.submit("hello", seed=5, **SHORT)

    def breaks(part: str, seconds: float) -> None:
        raise ZeroDivisionError("his own")

    with pytest.raises(ZeroDivisionError, match="his own"):
        engine.generate_long(text_of(3), seed=1, on_move=breaks, **SHORT)
    speech = engine.submit_long(text_of(3), seed=1, on_move=breaks, **SHORT)
    with pytest.raises(ZeroDivisionError, match="his own"):
        list(speech)
    assert same(other.result(), alone(engine, "hello", 5))


def test_threads_share_the_steps(engine: Engine) -> None:
    seeds = range(6)
    expected = [alone(engine, "hello", seed) for seed in seeds]
    gate, made = threading.Barrier(len(seeds)), {}

    def work(seed: int) -> None:
        gate.wait()
        made[seed] = engine.submit("hello", seed=seed, **SHORT).result()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(made[seed], expected[seed]) for seed in seeds)


# async


def test_texts_are_awaited_side_by_side(engine: Engine) -> None:
    async def both() -> list[Result]:
        return await asyncio.gather(*(engine.generate_async("hello", seed=seed, **SHORT) for seed in (5, 6)))

    for seed, made in zip((5, 6), asyncio.run(both()), strict=True):
        assert same(made, alone(engine, "hello", seed))


def test_a_task_that_is_cancelled_frees_its_slot(engine: Engine) -> None:
    async def give_up(stands: threading.Event) -> None:
        task = asyncio.ensure_future(engine.generate_async("hello", seed=5, **LONG))
        while not stands.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with held(engine._scheduler, when=lambda: in_slots(engine)) as stands:
        asyncio.run(give_up(stands))
    rest(engine)
    assert not in_slots(engine)
    assert len(alone(engine, "hello", 5).audio)


def test_a_stream_is_listened_to_and_closing_it_ends_the_work(engine: Engine) -> None:
    expected = [piece.result for piece in engine.stream(text_of(3), seed=7, **SHORT)]

    async def listen() -> list[Result]:
        return [piece.result async for piece in engine.stream_async(text_of(3), seed=7, **SHORT)]

    async def leave(after: int) -> None:
        pieces = engine.stream_async(text_of(30), seed=7, **SHORT)
        for _ in range(after):
            await anext(pieces)
        await pieces.aclose()

    assert all(same(a, b) for a, b in zip(asyncio.run(listen()), expected, strict=True))
    for after in (0, 1, 2):
        asyncio.run(leave(after))
        rest(engine)
    with pytest.raises(InputError):
        engine.stream_async([], seed=7)


# Ctrl-C


def interrupted(call: Callable[[Callable[[str, float], None]], object]) -> None:
    """Run a call, and send Ctrl-C to the main thread, which waits, as soon as the work is under way."""
    sent, main = threading.Event(), threading.get_ident()

    def send(part: str, seconds: float) -> None:
        if part == "coarse" and not sent.is_set():
            sent.set()
            signal.pthread_kill(main, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        call(send)


@pytest.mark.parametrize("form", ["generate", "list", "long", "stream", "handle"])
def test_ctrl_c_ends_that_call_and_no_other(
    engine: Engine, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = engine.submit("hello", seed=5, **SHORT)

    def call(send: Callable[[str, float], None]) -> object:
        if form == "long":
            return engine.generate_long(text_of(4), seed=1, on_move=send, **LONG)
        watched = engine._scheduler.submit

        def submit(steps: Any, caller: Any, clock: Any) -> Any:
            caller.on_move = send
            return watched(steps, caller, clock)

        monkeypatch.setattr(engine._scheduler, "submit", submit)
        if form == "stream":
            return next(engine.stream(text_of(4), seed=1, **LONG))
        if form == "handle":
            handle = engine.submit("hello", seed=1, **LONG)
            try:
                return handle.result()
            finally:
                handle.cancel()
        texts = "hello" if form == "generate" else ["hello", "and more"]
        return engine.generate(texts, seed=1, silent=True, **LONG)

    interrupted(call)
    monkeypatch.undo()
    rest(engine)
    assert no_worker_stays()
    assert all(slots._of == {} for slots in engine._scheduler._slots.values())
    assert same(other.result(), alone(engine, "hello", 5))


# closing


def test_closing_ends_whatever_is_under_way() -> None:
    engine = Engine("synthetic-tiny", "torch-fp32", threads=1, max_batch=2)
    scheduler = engine._scheduler
    with held(scheduler, when=lambda: in_slots(engine), until=lambda: scheduler._closed) as stands:
        handles = [engine.submit("hello", seed=seed, **LONG) for seed in range(5)]
        assert stands.wait(WAIT_S)
        engine.close()
    for handle in handles:
        with pytest.raises(BackendError, match="closed"):
            handle.result()
    with pytest.raises(AlrakisError, match="closed"):
        engine.submit("hello")


def test_without_a_thread_there_is_an_error_and_no_waiting_for_ever(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(engine)

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(BackendError, match="no thread can be started"):
            engine.generate("hello", seed=5, silent=True, **SHORT)
    rest(engine)
    assert len(alone(engine, "hello", 5).audio)
