"""Takes over a pipeline that only counts: what is under way, in which voice, and what comes of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import BackendError
from alrakis.flight.journey import Known
from alrakis.long.takes import EngineSpeaker, Take, Takes, as_voice
from alrakis.long.voices import Steady, SteadyVoices
from alrakis.result import Result
from alrakis.sampling import Options
from alrakis.voices import Voice
from tests.long.desk import BROKEN, SILENT, UNSAYABLE, Desk, takes_of

texts_of = st.lists(st.sampled_from(["a", "b", SILENT, UNSAYABLE, BROKEN]), min_size=1, max_size=14)
sizes = st.integers(1, 4)
steadies = st.sampled_from(["voice", "chain"])


class Told:
    """What comes of takes, by their number; each is told once."""

    def __init__(self) -> None:
        self.made: dict[int, Result | BaseException] = {}

    def __call__(self, take: Take, made: Result | BaseException) -> None:
        assert take.index not in self.made
        self.made[take.index] = made

    @property
    def errors(self) -> dict[int, str]:
        return {number: str(made) for number, made in self.made.items() if isinstance(made, BaseException)}


def begin(desk: Desk, takes: list[Take], voices: SteadyVoices, into: Told, **options: Any) -> Takes:
    begun = Takes(EngineSpeaker(desk), takes, voices, Options(), into, **options)  # type: ignore[arg-type]
    begun.start()
    return begun


def one_voice(count: int) -> SteadyVoices:
    return SteadyVoices([None] * count, {None: None}, "voice")


@given(texts_of, sizes, steadies, st.booleans(), st.booleans(), st.randoms())
def test_every_take_is_made_or_fails_alone(
    texts: list[str], size: int, steady: Steady, given_voice: bool, bounded: bool, random: Any
) -> None:
    desk, told = Desk(size), Told()
    voices = SteadyVoices([None] * len(texts), {None: None} if given_voice else {}, steady)
    takes = begin(desk, takes_of(texts), voices, told, bounded=bounded)
    taken = 0
    while len(told.made) < len(texts):
        if desk.under_way:
            desk.end(random.choice(sorted(desk.under_way)))
        elif taken < len(told.made):
            taken += 1
            takes.taken()
    reasons = {UNSAYABLE: "no word for !", BROKEN: "no sound of ?"}
    assert sorted(told.made) == list(range(len(texts)))
    assert told.errors == {i: reasons[text] for i, text in enumerate(texts) if text in reasons}


@given(st.integers(0, 40), sizes, st.none() | st.integers(1, 9), st.randoms())
def test_never_more_is_made_than_there_is_room_for(
    count: int, size: int, begun: int | None, random: Any
) -> None:
    """Two batches at most; with `begin` what is done makes room for two."""
    desk, told, taken = Desk(size), Told(), 0
    takes = begin(desk, takes_of(["a"] * count), one_voice(count), told, begin=begun)
    room = min(begun or 2 * size, 2 * size)
    while len(told.made) < count:
        ahead = len(desk.under_way) + len(told.made) - taken
        assert ahead == min(room, count - taken)
        if desk.under_way and (random.random() < 0.6 or taken == len(told.made)):
            desk.end(random.choice(sorted(desk.under_way)))
            room = min(2 * room, 2 * size)
        else:
            taken += 1
            takes.taken()
    assert desk.begun == list(range(count))


def test_without_bounds_nobody_need_take_anything() -> None:
    desk, told = Desk(1), Told()
    begin(desk, takes_of(["a"] * 9), one_voice(9), told, bounded=False)
    assert len(list(desk.end_all())) == 9


def test_only_the_first_sound_that_somebody_waits_for_is_urgent() -> None:
    for begun, urgent in ((1, [True, False, False]), (None, [False] * 3)):
        desk = Desk(3)
        begin(desk, takes_of("abc"), one_voice(3), Told(), begin=begun)  # type: ignore[arg-type]
        list(desk.end_all())
        assert [desk.callers[i].urgent for i in range(3)] == urgent
    assert len({id(caller) for caller in desk.callers.values()}) == 1, "they share their turns"


def test_voices_mix_and_nobody_waits_for_his_own() -> None:
    speakers = ["A", "B"] * 4
    voices = {name: Voice(*[np.zeros(1, np.int64)] * 3, name=name) for name in "AB"}
    desk = Desk(4)
    begin(desk, takes_of(["a"] * 8), SteadyVoices(speakers, {**voices}, "voice"), Told())
    assert len(desk.under_way) == 8
    assert [desk.voices[i] for i in range(8)] == speakers


def test_the_first_chunk_that_speaks_gives_the_voice() -> None:
    desk = Desk(8)
    begin(desk, takes_of([SILENT, "a", "b", "c"]), SteadyVoices([None] * 4, {}, "voice"), Told())
    assert desk.begun == [0]
    desk.end(0)
    assert desk.begun == [0, 1]
    desk.end(1)
    assert [desk.voices[i] for i in range(4)] == [None, None, "chunk 2", "chunk 2"]


def test_a_chain_goes_on_from_the_chunk_before_of_the_same_speaker() -> None:
    desk = Desk(8)
    voices = SteadyVoices(["A", "B", "A", "A", "B"], {}, "chain")
    begin(desk, takes_of(["a", "b", SILENT, "c", "d"]), voices, Told())
    list(desk.end_all())
    assert [desk.voices[i] for i in range(5)] == [None, None, "chunk 1", "chunk 1", "chunk 2"]


@given(st.lists(st.sampled_from(["a", "bb", SILENT]), min_size=1, max_size=14), sizes, steadies, st.data())
def test_stopped_anywhere_it_goes_on_in_the_same_voices(
    texts: list[str], size: int, steady: Steady, data: st.DataObject
) -> None:
    speakers = data.draw(st.lists(st.sampled_from(["A", "B"]), min_size=len(texts), max_size=len(texts)))
    choose = data.draw(st.randoms()).choice
    whole = Desk(size)
    begin(whole, takes_of(texts), SteadyVoices(speakers, {}, steady), Told(), bounded=False)
    list(whole.end_all(choose))

    done: dict[int, Voice | None] = {}
    spoken: dict[int, Known] = {}
    voiced: dict[int, str | None] = {}
    while len(done) < len(texts):
        desk, told = Desk(size), Told()
        voices = SteadyVoices(
            speakers, kept(speakers, done) if steady == "voice" else {}, steady, done=done, recall=done.get
        )
        waiting = [Take(t.index, t.text, t.seed, spoken.get(t.index)) for t in takes_of(texts)]
        tell, before = keep_in(spoken), dict(spoken)
        begin(desk, [t for t in waiting if t.index not in done], voices, told, bounded=False, told=tell)
        for number in desk.end_all(choose):
            made = told.made[number]
            assert isinstance(made, Result)
            assert desk.known[number] is before.get(number)
            done[number], voiced[number] = as_voice(number, made), desk.voices[number]
            for other in sorted(desk.under_way):
                if other not in spoken:
                    desk.told[other]("text", np.array([other]))
            if data.draw(st.booleans(), label="stop"):
                break
    assert voiced == whole.voices


def keep_in(spoken: dict[int, Known]) -> Callable[[Take, str, Any], None]:
    def tell(take: Take, stage: str, tokens: Any) -> None:
        spoken[take.index] = Known(tokens)

    return tell


def kept(speakers: list[str], done: dict[int, Voice | None]) -> dict[str | None, Voice | None]:
    found: dict[str | None, Voice | None] = {}
    for index in sorted(done):
        if done[index] is not None:
            found.setdefault(speakers[index], done[index])
    return found


@given(st.integers(0, 20), sizes, st.integers(0, 10), st.booleans(), st.randoms())
def test_when_there_is_no_going_on_every_take_is_told_so(
    count: int, size: int, after: int, bounded: bool, random: Any
) -> None:
    """The engine is closed while takes are under way: they fail, or come to an end, and none can follow."""
    desk, told = Desk(size), Told()
    begin(desk, takes_of(["a"] * count), one_voice(count), told, bounded=bounded, begin=1)
    for number, _ in enumerate(desk.end_all(random.choice)):
        desk.closed = number >= after
    ended = sum(isinstance(made, Result) for made in told.made.values())
    if ended < len(told.made):
        assert sorted(told.made) == list(range(count))
        assert set(told.errors.values()) == {"this engine is closed"}


def test_what_is_wrong_with_all_of_it_is_told_at_once() -> None:
    desk, told = Desk(1), Told()
    desk.closed = True
    with pytest.raises(BackendError):
        begin(desk, takes_of("ab"), one_voice(2), told)  # type: ignore[arg-type]


@given(st.integers(1, 12), sizes, st.integers(0, 12), st.randoms())
def test_cancelled_it_tells_nothing_more_and_begins_nothing_more(
    count: int, size: int, after: int, random: Any
) -> None:
    desk, told = Desk(size), Told()
    takes = begin(desk, takes_of(["a"] * count), one_voice(count), told)
    for _ in range(after):
        if desk.under_way:
            desk.end(random.choice(sorted(desk.under_way)))
    begun, made = list(desk.begun), dict(told.made)
    takes.cancel()
    takes.cancel()
    takes.taken()
    assert all(handle.cancelled() for handle in desk.under_way.values())
    assert (desk.begun, told.made) == (begun, made)
