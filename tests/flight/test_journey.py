"""The way of a text through the stages: what it tells, and where it begins."""

import logging

import numpy as np
import pytest

from alrakis.config import Config
from alrakis.flight.journey import Journey, Known, Manner, Told, manners
from alrakis.result import Result
from alrakis.sampling import IntArray, Options
from alrakis.spec import Stage
from alrakis.timings import Clock
from tests.backends.tiny import LAYOUT, TinyWeights
from tests.toys import ToyBackend, run_all

CONFIG = Config(backend="torch", trades="a test", sliding_window_len=20, max_coarse_history=60)
JOURNEY = Journey(CONFIG, TinyWeights())
MANNER = Manner(None, 5, Options(max_gen_duration_s=0.3, allow_early_stop=False))
IDS = np.full(256, LAYOUT.text_pad)


def whole(
    start: IntArray | Known, told: Told = lambda stage, tokens: None, manner: Manner = MANNER
) -> tuple[Result, ToyBackend]:
    backend = ToyBackend(LAYOUT)
    (made,) = run_all(backend, [JOURNEY.whole("a text", start, manner, Clock(), told)])
    return made, backend


def test_what_the_first_stages_make_is_told_and_can_be_gone_on_from() -> None:
    told: dict[Stage, IntArray] = {}
    made, _ = whole(IDS, told.__setitem__)
    assert list(told) == ["text", "coarse"]
    np.testing.assert_array_equal(told["text"], made.semantic_tokens)
    np.testing.assert_array_equal(told["coarse"], made.coarse_tokens)
    for known, ran in ((Known(told["text"]), True), (Known(told["text"], told["coarse"]), False)):
        again: list[Stage] = []
        other, backend = whole(known, lambda stage, tokens, again=again: again.append(stage))  # type: ignore[misc]
        np.testing.assert_array_equal(other.fine_tokens, made.fine_tokens)
        np.testing.assert_array_equal(other.audio, made.audio)
        assert again == (["coarse"] if ran else [])
        assert backend.parts["text"].prefixes == 0
        assert (backend.parts["coarse"].prefixes > 0) == ran


def test_each_stage_by_itself_makes_what_the_whole_makes() -> None:
    made, backend = whole(IDS)[0], ToyBackend(LAYOUT)
    (semantic,) = run_all(backend, [JOURNEY.semantic(IDS, MANNER)])
    (coarse,) = run_all(backend, [JOURNEY.coarse(semantic, MANNER)])
    (fine,) = run_all(backend, [JOURNEY.fine(coarse, MANNER)])
    (audio,) = run_all(backend, [JOURNEY.audio(fine)])
    for found, wanted in (
        (semantic, made.semantic_tokens), (coarse, made.coarse_tokens),
        (fine, made.fine_tokens), (audio, made.audio),
    ):  # fmt: skip
        np.testing.assert_array_equal(found, wanted)


def test_windows_are_the_configs_unless_others_are_given() -> None:
    semantic = np.arange(40)

    def coarse(windows: tuple[int, int] | None) -> tuple[IntArray, int]:
        backend = ToyBackend(LAYOUT)
        (made,) = run_all(backend, [JOURNEY.coarse(semantic, MANNER, windows)])
        return made, backend.parts["coarse"].prefixes

    (own, often), (same, _), (other, seldom) = coarse(None), coarse((60, 20)), coarse((60, 90))
    np.testing.assert_array_equal(own, same)
    assert seldom < often
    assert own.shape == other.shape


def test_a_text_that_says_nothing_gives_an_empty_result(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "alrakis"):
        made, backend = whole(Known(np.empty(0, np.int64)))
    assert "no audio for 'a text'" in caplog.text
    assert (made.audio.shape, made.coarse_tokens.shape, made.fine_tokens.shape) == ((0,), (2, 0), (8, 0))
    assert backend.parts["coarse"].prefixes == 0


def test_results_say_what_they_were_made_with() -> None:
    made, _ = whole(IDS)
    assert (made.text, made.seed, made.voice, made.config, made.weights) == (
        "a text", 5, None, CONFIG.name, "tiny",
    )  # fmt: skip


def test_each_text_has_a_manner_of_its_own() -> None:
    options = Options(text_temp=0.1)
    assert [(m.voice, m.seed, m.options) for m in manners([None, None], [1, 2], options)] == [
        (None, 1, options), (None, 2, options),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="zip"):
        manners([None], [1, 2], options)
