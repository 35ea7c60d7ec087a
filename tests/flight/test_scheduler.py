"""Sequences in any company, arriving and leaving at any moment, say what they say alone."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.config import Config
from alrakis.errors import BackendError, GenerationError
from alrakis.flight.journey import Journey, Manner
from alrakis.flight.scheduler import FLYING, Scheduler
from alrakis.flight.sequence import Caller, Handle
from alrakis.result import Result
from alrakis.sampling import Options, Sampling
from alrakis.spec import CONTEXT
from alrakis.stages.asks import Decode, Run, Steps
from alrakis.timings import Clock
from alrakis.voices import Voice
from tests.backends.tiny import LAYOUT, TinyWeights
from tests.threads import WAIT_S, held, no_worker_stays
from tests.toys import ToyBackend, ToyGPT, run_all

CONFIG = Config(
    backend="torch", fine_window="fitted", trades="a test", sliding_window_len=20, max_coarse_history=60
)
JOURNEY = Journey(CONFIG, TinyWeights())


@dataclass
class Text:
    """A text, and what happens to it. after: steps of others before it arrives. cancelled: after so many."""

    ids: int
    voice: int | None
    seed: int
    options: Options
    urgent: bool
    after: int
    cancelled: int | None = None
    handle: Handle[Result] | None = field(default=None, repr=False)

    def steps(self) -> Steps[Result]:
        random = np.random.default_rng(self.ids)
        ids = random.integers(LAYOUT.text_offset, LAYOUT.text_pad, 256)
        return JOURNEY.whole("", ids, Manner(self._voice(), self.seed, self.options), Clock())

    def _voice(self) -> Voice | None:
        if self.voice is None:
            return None
        random = np.random.default_rng(self.voice)
        frames = 3 * self.voice
        return Voice(
            random.integers(0, 60, 2 * self.voice),
            random.integers(0, 1024, (2, frames)),
            random.integers(0, 1024, (8, frames)),
            "",
        )


options = st.builds(
    Options,
    text_temp=st.sampled_from([0.7, 0.0, 1.2]),
    waveform_temp=st.sampled_from([0.7, 0.0]),
    fine_temp=st.sampled_from([0.5, 0.0]),
    top_k=st.sampled_from([None, None, 5]),
    max_gen_duration_s=st.sampled_from([0.05, 0.3, 0.6]),
    allow_early_stop=st.booleans(),
)
texts = st.builds(
    Text,
    ids=st.integers(0, 3),
    voice=st.sampled_from([None, 4, 9, 30]),
    seed=st.integers(0, 2**64 - 1),
    options=options,
    urgent=st.booleans(),
    after=st.sampled_from([0, 0, 1, 7, 40, 200]),
    cancelled=st.sampled_from([None, None, None, 0, 3, 60]),
)


def alone(text: Text) -> Result:
    (made,) = run_all(ToyBackend(LAYOUT, max_batch=1), [text.steps()])
    assert isinstance(made, Result)
    return made


def assert_equal(found: Result, expected: Result) -> None:
    for part in ("semantic_tokens", "coarse_tokens", "fine_tokens", "audio"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))


@pytest.fixture
def scheduler() -> Iterator[Callable[..., Scheduler]]:
    made: list[Scheduler] = []

    def make(backend: Any = None, *, one_stage: bool = False) -> Scheduler:
        backend = backend or ToyBackend(LAYOUT)
        made.append(Scheduler(backend, slots=backend.max_batch + 1, one_stage=one_stage))
        return made[-1]

    yield make
    for each in made:
        each.close()


@settings(max_examples=30)
@given(
    batch=st.lists(texts, min_size=1, max_size=7),
    max_batch=st.integers(1, 6),
    fine_rows=st.sampled_from([1, 3]),
    one_stage=st.booleans(),
    stride=st.sampled_from([1, 16]),
)
def test_whoever_comes_and_goes(
    batch: list[Text], max_batch: int, fine_rows: int, one_stage: bool, stride: int
) -> None:
    """A text arrives or is given up after any step of any other; no slot is left behind."""
    backend = ToyBackend(LAYOUT, max_batch=max_batch, fine_rows=fine_rows, stride=stride)
    scheduler = Scheduler(backend, slots=max_batch + 1, one_stage=one_stage)
    moves = 0
    arrived = threading.Event()

    def moved(part: str, seconds: float) -> None:
        nonlocal moves
        moves += 1
        arrive()
        for text in batch:
            if text.handle is not None and text.cancelled is not None and moves > text.after + text.cancelled:
                text.handle.cancel()

    def arrive() -> None:
        idle = all(text.handle is None or text.handle.done() for text in batch)
        for text in batch:
            if text.handle is None and (text.after <= moves or idle):
                idle = False
                text.handle = scheduler.submit(text.steps(), Caller(moved, urgent=text.urgent), Clock())
                text.handle.add_done_callback(lambda _: arrive())
        if all(text.handle is not None for text in batch):
            arrived.set()

    with scheduler.resting():  # the worker begins, and lets others arrive, when those at the beginning have
        arrive()
    assert arrived.wait(WAIT_S)
    for text in batch:
        assert text.handle is not None
        try:
            found = text.handle.result(WAIT_S)
        except CancelledError:
            assert text.cancelled is not None
            continue
        assert_equal(found, alone(text))
    with scheduler.resting():  # the toys assert that no slot is held
        pass
    assert no_worker_stays()
    scheduler.close()


def test_sequences_share_steps(scheduler: Callable[..., Scheduler]) -> None:
    backend = ToyBackend(LAYOUT, max_batch=4)
    every = Options(max_gen_duration_s=0.6, allow_early_stop=False)
    batch = [Text(i, voice, i, every, True, 0) for i, voice in enumerate((None, 4, 9, 30))]
    made = run_all(backend, [text.steps() for text in batch])
    for found, text in zip(made, batch, strict=True):
        assert_equal(found, alone(text))
    for part in ("text", "coarse"):
        gpt = backend.parts[part]
        assert gpt.steps <= 1.2 * gpt.stepped / 4


def test_who_comes_late_does_not_wait_for_a_stage(scheduler: Callable[..., Scheduler]) -> None:
    """All slots are taken by a caller with much to say; another's short text is done long before."""
    backend = ToyBackend(LAYOUT, max_batch=2)
    flights = scheduler(backend)
    order: list[str] = []
    book = Caller(urgent=False)
    long = Options(max_gen_duration_s=0.9, allow_early_stop=False)
    with held(flights, when=lambda: flights.slots_in_use["text"] >= 2) as stands:
        chapters = [flights.submit(Text(i, None, i, long, False, 0).steps(), book, Clock()) for i in range(6)]
        for chapter in chapters:
            chapter.add_done_callback(lambda _: order.append("chapter"))
        assert stands.wait(WAIT_S)
        assert order == []
        short = flights.submit(
            Text(9, None, 9, Options(max_gen_duration_s=0.1), True, 0).steps(), Caller(), Clock()
        )
        short.add_done_callback(lambda _: order.append("short"))
    for handle in [*chapters, short]:
        handle.result(WAIT_S)
    assert order.index("short") <= 1
    assert len(order) == 7


def test_the_others_do_not_starve(scheduler: Callable[..., Scheduler]) -> None:
    """While urgent texts keep coming, one that is not urgent is done all the same."""
    flights = scheduler(ToyBackend(LAYOUT, max_batch=1))
    short = Options(max_gen_duration_s=0.3, allow_early_stop=False)
    patient = flights.submit(Text(1, None, 1, short, False, 0).steps(), Caller(urgent=False), Clock())
    for number in range(200):
        flights.submit(Text(2, None, number, short, True, 0).steps(), Caller(), Clock()).result(WAIT_S)
        if patient.done():
            return
    raise AssertionError("200 urgent texts went before it")


def test_an_error_reaches_its_own_caller_and_nobody_else(scheduler: Callable[..., Scheduler]) -> None:
    flights = scheduler()

    def breaks(part: str, seconds: float) -> None:
        if part == "coarse":
            raise ZeroDivisionError("the caller's own")

    every = Options(max_gen_duration_s=0.3)
    broken = flights.submit(Text(1, None, 1, every, True, 0).steps(), Caller(breaks), Clock())
    fine = flights.submit(Text(2, None, 2, every, True, 0).steps(), Caller(), Clock())
    with pytest.raises(ZeroDivisionError, match="own"):
        broken.result(WAIT_S)
    assert_equal(fine.result(WAIT_S), alone(Text(2, None, 2, every, True, 0)))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_nothing_that_a_caller_raises_ends_the_worker(
    error: type[BaseException], scheduler: Callable[..., Scheduler]
) -> None:
    flights = scheduler()

    def breaks(part: str, seconds: float) -> None:
        raise error

    steps = Text(1, None, 1, Options(max_gen_duration_s=0.1), True, 0).steps
    with pytest.raises(error):
        flights.submit(steps(), Caller(breaks), Clock()).result(WAIT_S)
    flights.submit(steps(), Caller(), Clock()).result(WAIT_S)


def test_a_network_that_fails_fails_those_who_were_in_it(scheduler: Callable[..., Scheduler]) -> None:
    backend = ToyBackend(LAYOUT)
    flights = scheduler(backend)
    steps = Text(1, None, 1, Options(max_gen_duration_s=0.1), True, 0).steps
    decode, backend.parts["codec"].decode = backend.parts["codec"].decode, None
    failed = flights.submit(steps(), Caller(), Clock())
    with pytest.raises(TypeError):
        failed.result(WAIT_S)
    backend.parts["codec"].decode = decode
    flights.submit(steps(), Caller(), Clock()).result(WAIT_S)


def test_what_goes_wrong_in_company_is_its_own(scheduler: Callable[..., Scheduler]) -> None:
    """One whose logits are not numbers, one whose prefix is too long, one whose codes cannot be decoded."""
    backend = ToyBackend(LAYOUT)

    class Overflows(ToyGPT):
        def _logits(self, slots: Any) -> Any:
            logits = super()._logits(slots)
            for row, slot in enumerate(slots):
                if LAYOUT.text_offset in self._seen[slot][:300]:
                    logits[0][row] = logits[1][row] = np.nan
            return logits

    def ids(first: int) -> Any:
        return np.full(256, LAYOUT.text_pad - 1 if first else LAYOUT.text_offset)

    def too_long() -> Steps[Any]:
        drawn = yield Run("text", 1, Sampling(), np.zeros(CONTEXT + 1, np.int64), [0], 0, 2, 0.1)
        return drawn

    def undecodable() -> Steps[Any]:
        audio = yield Decode(None, 0.1)  # type: ignore[arg-type]
        return audio

    backend.parts["text"] = Overflows("text", LAYOUT.text_heads)
    flights = scheduler(backend)
    every = Options(max_gen_duration_s=0.3, allow_early_stop=False)
    whole = [JOURNEY.whole("", ids(i), Manner(None, i, every), Clock()) for i in (0, 1, 2, 3)]
    with flights.resting():  # all of them arrive at once
        thread = threading.Thread(target=lambda: handles.extend(map(submitted, wanted)))
        handles: list[Handle[Any]] = []
        wanted = [*whole, too_long(), undecodable()]

        def submitted(steps: Steps[Any]) -> Handle[Any]:
            return flights.submit(steps, Caller(), Clock())

        thread.start()
    thread.join()
    with pytest.raises(GenerationError, match="not a number"):
        handles[0].result(WAIT_S)
    for number in (1, 2, 3):
        steps = JOURNEY.whole("", ids(number), Manner(None, number, every), Clock())
        (expected,) = run_all(ToyBackend(LAYOUT, max_batch=1), [steps])
        assert_equal(handles[number].result(WAIT_S), expected)
    for number in (4, 5):
        assert isinstance(handles[number].exception(WAIT_S), (AssertionError, TypeError))


def test_many_wait_for_room_and_a_newcomer_does_not(scheduler: Callable[..., Scheduler]) -> None:
    """What a step costs does not grow with what waits; each caller has one under way."""
    flights = scheduler(ToyBackend(LAYOUT, max_batch=1))
    most = FLYING * 2  # of two slots
    flying: list[int] = []
    crowd = Caller(lambda part, seconds: flying.append(len(flights._flying)), urgent=False)
    short = Options(max_gen_duration_s=0.05, allow_early_stop=False)
    order: list[str] = []
    with held(flights) as stands:
        handles = [
            flights.submit(Text(1, None, i, short, False, 0).steps(), crowd, Clock()) for i in range(40)
        ]
        assert stands.wait(WAIT_S)
        assert handles[30].cancel()
        newcomer = flights.submit(Text(1, None, 1, short, False, 0).steps(), Caller(urgent=False), Clock())
        for handle in handles:
            handle.add_done_callback(lambda _: order.append("crowd"))
        newcomer.add_done_callback(lambda _: order.append("newcomer"))
    newcomer.result(WAIT_S)
    for handle in [*handles[:30], *handles[31:]]:
        handle.result(WAIT_S)
    assert max(flying) <= most + 1
    assert order.index("newcomer") < 30


def test_a_mistake_before_the_first_step_is_raised_at_once(scheduler: Callable[..., Scheduler]) -> None:
    def wrong() -> Steps[None]:
        raise ValueError("no such voice")
        yield Decode(np.zeros((8, 1), np.int64), 0.0)

    with pytest.raises(ValueError, match="no such voice"):
        scheduler().submit(wrong(), Caller(), Clock())


def test_steps_that_ask_for_nothing_are_done_at_once(scheduler: Callable[..., Scheduler]) -> None:
    def nothing() -> Steps[str]:
        return "made"
        yield Decode(np.zeros((8, 1), np.int64), 0.0)

    assert scheduler().submit(nothing(), Caller(), Clock()).result(0) == "made"


def test_closed_it_ends_what_is_under_way(scheduler: Callable[..., Scheduler]) -> None:
    flights = scheduler()
    long = Options(max_gen_duration_s=0.9, allow_early_stop=False)
    begun = held(flights, when=lambda: bool(flights.slots_in_use["text"]), until=lambda: flights._closed)
    with begun as stands:
        handle = flights.submit(Text(1, None, 1, long, True, 0).steps(), Caller(), Clock())
        assert stands.wait(WAIT_S)
        flights.close()
    with pytest.raises(BackendError, match="closed"):
        handle.result(WAIT_S)
    with pytest.raises(BackendError, match="closed"):
        flights.submit(Text(1, None, 1, long, True, 0).steps(), Caller(), Clock())


def test_nothing_begins_while_it_rests(scheduler: Callable[..., Scheduler]) -> None:
    flights = scheduler()
    begun = threading.Event()
    caller = Caller(lambda part, seconds: begun.set())
    steps = Text(1, None, 1, Options(max_gen_duration_s=0.1), True, 0).steps()
    with flights.resting():
        thread = threading.Thread(target=lambda: flights.submit(steps, caller, Clock()))
        thread.start()
        assert not begun.wait(0.2)
    thread.join()
    assert begun.wait(WAIT_S)


def test_a_callback_cannot_wait_for_itself(scheduler: Callable[..., Scheduler]) -> None:
    flights = scheduler()

    def waits(part: str, seconds: float) -> None:
        with flights.resting():
            pass

    steps = Text(1, None, 1, Options(max_gen_duration_s=0.1), True, 0).steps()
    with pytest.raises(BackendError, match="callback"):
        flights.submit(steps, Caller(waits), Clock()).result(WAIT_S)


def test_no_thread_stays_when_nothing_is_left_to_do(scheduler: Callable[..., Scheduler]) -> None:
    flights = scheduler()
    flights.submit(
        Text(1, None, 1, Options(max_gen_duration_s=0.1), True, 0).steps(), Caller(), Clock()
    ).result(WAIT_S)
    assert no_worker_stays()
