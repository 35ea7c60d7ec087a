"""Takes: the best is kept, by whoever listens; until the first that is good; what goes wrong is told."""

from collections.abc import Iterator

import pytest

from alrakis import Engine, InputError, Result
from alrakis.listening.plain import PlainListener
from alrakis.listening.score import Score, take_seed
from tests.threads import held, no_worker_stays

QUICK = {"max_gen_duration_s": 0.2, "silent": True}


class Chooser:
    """Finds the errors that it is told, by seed."""

    def __init__(self, errors: dict[int, float]) -> None:
        self.errors = errors
        self.heard: list[int] = []

    def check(self, language: str) -> None:
        if language != "en":
            raise InputError("only English is known here")

    def score(self, result: Result, language: str) -> Score:
        self.heard.append(result.seed)
        return Score(self.errors[result.seed], 1.0, True, 0.0, 0.0, -20.0, None, result.text)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


def errors(*found: float, seed: int = 5) -> dict[int, float]:
    return {take_seed(seed, take): error for take, error in enumerate(found)}


def test_the_best_take_is_kept_with_all_scores(engine: Engine) -> None:
    engine.listener = Chooser(errors(0.5, 0.1, 0.3))
    best = engine.generate("hello", seed=5, takes=3, **QUICK)
    assert best.seed == take_seed(5, 1)
    assert [taken.score.error for taken in best.takes] == [0.5, 0.1, 0.3]
    again = engine.generate("hello", seed=best.seed, **QUICK)
    assert (again.fine_tokens == best.fine_tokens).all()
    assert again.takes == ()


def test_equal_takes_keep_the_first(engine: Engine) -> None:
    engine.listener = Chooser(errors(0.2, 0.2))
    assert engine.generate("hello", seed=5, takes=2, **QUICK).seed == 5


@pytest.mark.parametrize(("until", "made"), [(0.6, 1), (0.2, 2), (0.0, 3)])
def test_until_stops_at_the_first_good_one(engine: Engine, until: float, made: int) -> None:
    listener = engine.listener = Chooser(errors(0.5, 0.1, 0.3))
    best = engine.generate("hello", seed=5, takes=3, until=until, **QUICK)
    assert len(best.takes) == len(listener.heard) == made
    assert best.seed == take_seed(5, 0 if made == 1 else 1)


def test_every_way_of_asking_has_takes(engine: Engine) -> None:
    assert isinstance(engine.listener, PlainListener)
    assert len(engine.submit("hello", takes=2, max_gen_duration_s=0.2).result().takes) == 2
    both = engine.generate(["one", "two"], seed=1, takes=2, **QUICK)
    assert [len(one.takes) for one in both] == [2, 2]
    long = engine.generate_long("One is here. Two is there.\n\nThree.", takes=2, max_gen_duration_s=0.2)
    assert [len(piece.result.takes) for piece in long.pieces] == [2] * len(long.pieces)
    assert all(
        len(piece.result.takes) == 2 for piece in engine.stream("One.", takes=2, max_gen_duration_s=0.2)
    )


def test_what_goes_wrong_is_told_and_nothing_hangs(engine: Engine) -> None:
    engine.listener = Chooser({})
    with pytest.raises(KeyError):
        engine.generate("hello", seed=5, takes=2, **QUICK)
    with pytest.raises(InputError, match="only English"):
        engine.generate("Это дом, и он большой.", takes=2, **QUICK)
    with held(engine._scheduler):
        handle = engine.submit("hello", seed=5, takes=3)
        assert handle.cancel()
    assert no_worker_stays()


@pytest.mark.parametrize("options", [{"takes": 0}, {"takes": 1.5}, {"takes": 101}, {"takes": 2, "until": -1}])
def test_what_cannot_be_asked_for(engine: Engine, options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"takes|until"):
        engine.generate("hello", **options)  # type: ignore[arg-type]


def test_takes_of_a_long_text_are_heard_in_the_language_that_was_given(engine: Engine) -> None:
    engine.listener = Chooser(errors(0.5, 0.1))
    assert engine.generate_long("Das ist gut.", seed=5, takes=2, **QUICK).seed == take_seed(5, 1)
    with pytest.raises(InputError, match="only English"):
        engine.generate_long("Das ist gut.", language="de", seed=5, takes=2, **QUICK)
