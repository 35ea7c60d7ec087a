"""What a person meets at a prompt: names that docstrings tell, types, `repr`, errors in lists."""

import inspect
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alrakis
from alrakis import Chunk, Config, Engine, InputError, Options, Voice, VoiceError, api
from alrakis.books.book import Book, Chapter
from alrakis.config import load_config, preset_names
from alrakis.listening.score import Score, ScoredTake
from alrakis.marks.subtitles import Cue, Word

ROOT = Path(__file__).parents[1]


def documented() -> Iterator[tuple[str, str]]:
    """The docstrings of every public name and of its methods."""
    for name in alrakis.__all__:
        value = getattr(alrakis, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            yield name, value.__doc__ or ""
        if inspect.isclass(value) and not issubclass(value, Config):
            for method, inner in inspect.getmembers(value):
                ours = str(getattr(inner, "__module__", "alrakis")).startswith("alrakis")
                if not method.startswith("_") and ours:
                    yield f"{name}.{method}", getattr(inner, "__doc__", None) or ""


def defined(kind: str) -> set[str]:
    """Every class or function of the engine's modules."""
    files = (path.read_text("utf-8") for path in (ROOT / "engine").rglob("*.py"))
    return {name for text in files for name in re.findall(rf"^{kind} (\w+)", text, re.MULTILINE)}


def test_whatever_a_docstring_names_can_be_imported_from_alrakis() -> None:
    known = defined("class") - {"Codec"}  # "codec decode" is a term
    told = {
        (where, word)
        for where, text in documented()
        for word in re.findall(r"(?<![.\w])[A-Z]\w+", text)
        if word in known
    }
    assert {"Options", "ConfigError"} <= {word for _, word in told}
    assert {pair for pair in told if not hasattr(alrakis, pair[1])} == set()


def test_functions_that_a_docstring_names_are_there() -> None:
    """A method of what is documented, or a function of alrakis."""
    functions = defined("def")
    for where, text in documented():
        for word in set(re.findall(r"`(\w+)`", text)) & functions:
            owner = getattr(alrakis, where.partition(".")[0])
            assert hasattr(alrakis, word) or hasattr(owner, word), f"{where}: {word}"


def test_what_a_method_gives_can_be_imported_from_alrakis() -> None:
    """But for what only who writes a set of weights meets."""
    classes = defined("class")
    for name in set(alrakis.__all__) - {"Weights"}:
        value = getattr(alrakis, name)
        for method, function in inspect.getmembers(value, inspect.isfunction):
            if method.startswith("_") or not inspect.isclass(value):
                continue
            given = str(inspect.signature(function).return_annotation)
            for word in set(re.findall(r"[A-Z]\w+", given)) & classes:
                assert hasattr(alrakis, word), f"{name}.{method}: {word}"


def test_dir_lists_what_there_is() -> None:
    assert {*alrakis.__all__, "api", "generation"} <= set(dir(alrakis))
    assert all(hasattr(alrakis, name) for name in dir(alrakis))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="overloads cannot be listed")
def test_types_tell_what_comes_back() -> None:
    for function in (api.generate_audio, api.semantic_to_waveform):
        overloads = typing.get_overloads(function)  # without, with it by name, by place, and either
        results = [typing.get_type_hints(one)["return"] for one in overloads]
        assert results[3] == results[0] | results[1]
        assert results[1] == results[2] == tuple[api.FullGeneration, results[0]]
        names = list(inspect.signature(function).parameters)
        assert all(set(inspect.signature(one).parameters) == set(names) for one in overloads)
        assert [
            inspect.signature(one).parameters["output_full"].kind is inspect.Parameter.KEYWORD_ONLY
            for one in overloads
        ] == [False, True, False, False]
    assert Path in typing.get_args(api.History) or "PathLike" in str(api.History)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("synthetic-tiny", "torch-fp32") as made:
        yield made


def test_each_shows_itself_in_a_line_or_two(engine: Engine) -> None:
    result = engine.generate("hello " * 50, seed=3, max_gen_duration_s=0.2, silent=True)
    long = engine.generate_long("One. Two.", seed=4, max_gen_duration_s=0.1)
    voice = engine.load_voice(result)
    chunk = Chunk("word " * 50, "sentence", "MAN", 13.0)
    speech = engine.submit_long("hello hello", max_gen_duration_s=0.2)
    public = (result, long, long.pieces[0], voice, engine, [result], chunk, Options(), result.timings, speech)
    words = tuple(Word(f"word{number}", number, number + 0.5) for number in range(100))
    score = Score(0.1, 1.0, False, 0.1, 0.0, -20.0, 0.1, "word " * 50)
    book = Book([Chapter("One", "word " * 500)] * 30, "The Book", "Ann", cover=b"x" * 1000)
    parts = (engine.listener, score, ScoredTake(3, score), Cue("word " * 50, 0, 50, "MAN", words), book)
    shown = [repr(value) for value in (*public, engine.weights, *parts, *book.chapters)]
    speech.result()
    shown += [repr(load_config(name)) for name in preset_names()]
    shown += [str(value) for value in (result, engine.config)]
    for text in shown:
        assert len(text) < 330, text
        assert "\n" not in text
    assert repr(result).startswith("<Result 'hello hello")
    assert "0.2" in repr(result)
    assert all(not re.search(r"\d\.\d{6}", text) for text in shown), "no more digits than anybody reads"
    assert "seed 3" in repr(result)
    assert "piece" in repr(long)
    assert isinstance(voice, Voice)
    assert f"{len(voice.semantic)} semantic tokens" in repr(voice)
    assert (
        repr(engine) == "<Engine on 'synthetic-tiny', config 'torch-fp32': text, coarse, fine, codec loaded>"
    )
    assert repr(load_config("cpu-int8")).startswith("<Config 'cpu-int8': backend='onnx', precision='int8'")


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ((["One.", " "],), InputError, r"text\[1\] \(of 2\): the text is empty"),
        ((["One.", 2],), InputError, r"text\[1\] \(of 2\): a text must be a str"),
        (
            (["One.", "Two."], [None, "nobody"]),
            VoiceError,
            r"voice\[1\] \(of 2\): there is no voice",
        ),
        ((["One.", "Two."], None, [1, -1]), InputError, r"seed\[1\] \(of 2\): a seed must be"),
        ((["One.", "Two."], None, [1.5, 1]), InputError, r"seed\[0\] \(of 2\): a seed must be"),
    ],
)
def test_an_error_in_a_list_says_which_element(
    engine: Engine, arguments: Any, error: type[Exception], told: str
) -> None:
    text, voice, seed = (*arguments, None, None)[:3]
    with pytest.raises(error, match=told):
        engine.generate(text, voice, seed=seed, silent=True)


def test_a_history_prompt_may_be_a_path(engine: Engine, tmp_path: Path) -> None:
    result = engine.generate("hello", seed=3, max_gen_duration_s=0.4, silent=True)
    path = result.save_voice(tmp_path / "me.npz")
    prompts = (path, str(path), result)
    made = [api.generate_audio("hi", prompt, engine=engine, seed=1, silent=True) for prompt in prompts]
    assert all(np.array_equal(audio, made[0]) for audio in made)
