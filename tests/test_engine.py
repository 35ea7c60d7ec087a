"""The Engine as its users meet it: lists, seeds, voices, results, threads, closing."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from alrakis import Engine
from alrakis.errors import InputError, VoiceError
from alrakis.listening.plain import PlainListener
from alrakis.listening.score import Score
from alrakis.progress import text_bars
from alrakis.result import Result
from tests.results import same

SHORT = {"max_gen_duration_s": 0.3, "silent": True}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


def test_one_text_gives_one_result_and_a_list_a_list(engine: Engine) -> None:
    alone = engine.generate("hello", seed=5, **SHORT)
    (listed,) = engine.generate(["hello"], seed=5, **SHORT)
    assert engine.generate([], seed=5, **SHORT) == []
    assert same(alone, listed)
    frames = alone.coarse_tokens.shape[1]
    assert alone.audio.dtype == np.float32
    assert alone.audio.shape == (320 * frames,)
    assert alone.fine_tokens.shape == (8, frames)
    assert alone.sample_rate == 24_000
    assert alone.duration_s == pytest.approx(frames / 75)
    assert alone.seed == 5


def test_texts_of_a_list_are_said_as_they_are_alone(engine: Engine) -> None:
    texts = ["one", "two words", "and a third text", "four"]
    together = engine.generate(texts, seed=20, max_gen_duration_s=1.0, min_eos_p=0.001, silent=True)
    assert [result.seed for result in together] == [20, 21, 22, 23]
    for text, result in zip(texts, together, strict=True):
        alone = engine.generate(text, seed=result.seed, max_gen_duration_s=1.0, min_eos_p=0.001, silent=True)
        assert same(alone, result)


def test_without_a_seed_a_fresh_one_is_reported(engine: Engine) -> None:
    first, second = (engine.generate("hello", **SHORT) for _ in range(2))
    assert first.seed != second.seed
    assert same(engine.generate("hello", seed=first.seed, **SHORT), first)


def test_threads_take_turns(engine: Engine) -> None:
    alone = [engine.generate("hello", seed=seed, **SHORT) for seed in range(3)]
    results: dict[int, Any] = {}

    def work(seed: int) -> None:
        results[seed] = engine.generate("hello", seed=seed, **SHORT)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(results[seed], alone[seed]) for seed in range(3))


def test_engines_live_side_by_side(engine: Engine) -> None:
    before = engine.generate("hello", seed=5, **SHORT)
    with Engine("demo", "torch-fp32") as other:
        assert other.layout.semantic_vocab == 824
        assert len(other.generate("hello", seed=5, **SHORT).audio)
    assert same(engine.generate("hello", seed=5, **SHORT), before)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, InputError),
        ({"text": "  \n"}, InputError),
        ({"text": 5}, InputError),
        ({"text": None}, InputError),
        ({"text": ["fine", ""]}, InputError),
        ({"text": b"bytes"}, InputError),
        ({"text": "x", "text_temp": float("nan")}, InputError),
        ({"text": "x", "waveform_temp": -0.1}, InputError),
        ({"text": "x", "fine_temp": "warm"}, InputError),
        ({"text": "x", "top_k": 0}, InputError),
        ({"text": "x", "seed": 2**64}, InputError),
        ({"text": "x", "seed": 1.5}, InputError),
        ({"text": ["x", "y"], "seed": [1]}, InputError),
        ({"text": "x", "max_gen_duration_s": -1}, InputError),
        ({"text": "x", "voice": "v2/en_speaker_61"}, VoiceError),
        ({"text": "x", "voice": ["v2/en_speaker_6"]}, InputError),
        ({"text": ["x", "y"], "voice": [None]}, InputError),
        ({"text": "x", "voice": {"semantic_prompt": np.arange(3)}}, VoiceError),
    ],
)
def test_bad_input_is_said(engine: Engine, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        engine.generate(**arguments)


class Told:
    """A listener that keeps the languages it is told."""

    def __init__(self) -> None:
        self.languages: list[str] = []

    def check(self, language: str) -> None:
        self.languages.append(language)

    def score(self, result: Result, language: str) -> Score:
        self.languages.append(language)
        return PlainListener().score(result, language)


def test_the_language_is_that_of_spelling_and_of_who_listens(engine: Engine) -> None:
    """A German text was listened to as English, and its numbers were said in English."""
    table = {"language": {"de": {"words": {"boot": "boht"}}}}
    asked = {"lexicon": table, "normalise": True, "takes": 2, "seed": 1, "max_gen_duration_s": 0.3}
    before, told = engine.listener, Told()
    engine.listener = told
    try:
        made = engine.generate("Boot 5", language="de", silent=True, **asked)
        begun = engine.submit("Boot 5", language="de", **asked).result()
        plain = engine.generate("Boot 5", silent=True, **asked)
    finally:
        engine.listener = before
    assert made.said == begun.said == "boht 5"
    assert plain.said == "Boot five"
    assert told.languages == ["de"] * 6 + ["en"] * 3
    with pytest.raises(InputError, match="did you mean 'de'"):
        engine.generate("Boot 5", language="German")
    with pytest.raises(InputError, match="no language 'xx'"):
        engine.submit("Boot 5", language="xx")


def test_takes_of_a_text_share_one_bar(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their stages take turns: a bar for each was begun anew at every turn."""
    shown: list[int] = []

    def counted(count: int, silent: bool) -> Any:
        shown.append(count)
        return text_bars(count, silent)

    monkeypatch.setattr("alrakis.engine.text_bars", counted)
    engine.generate("hello", takes=3, seed=1, **SHORT)
    engine.generate("hello", seed=1, **SHORT)
    engine.generate(["hello", "there"], seed=1, **SHORT)
    assert shown == [3, 1, 2]
