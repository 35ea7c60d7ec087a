"""A pronunciation file: what it changes, and what is no lexicon."""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import InputError
from alrakis.text.lexicon import Lexicon, read_lexicon

NAMES = {
    "words": {
        "Hermione": "her my oh nee",
        "Dr. Who": "Doctor Who",
        "live": "lyve",
        "Smith": "Smith, with an i",
    },
    "patterns": {r"(\d+) ?kr\b": r"\1 crowns", r"(?P<w>\w+)ough\b": r"\g<w>uff"},
    "language": {"de": {"words": {"live": "laif"}}},
    "speaker": {"MAN": {"words": {"Hermione": "Herm"}}},
}


def said(text: str, content: dict[str, Any] = NAMES, language: str = "en", speaker: str | None = None) -> str:
    parts = Lexicon(content).parts(text, language, speaker)
    assert "".join(written for written, _ in parts) == text
    return "".join(said for _, said in parts)


def test_words_are_whole_and_keep_to_their_case() -> None:
    assert said("Hermione, Hermiones, hermione") == "her my oh nee, Hermiones, hermione"
    assert said("Live! We live, alive") == "lyve! We lyve, alive"
    assert said("Dr.  Who?") == "Doctor Who?"


def test_patterns_come_first_and_each_place_is_changed_once() -> None:
    assert said("300kr and 5 kr") == "300 crowns and 5 crowns"
    assert said("rough Smith") == "ruff Smith, with an i"


def test_matches_across_windows_are_found() -> None:
    assert said("x" * 145 + " 300 kr " * 60).count("crowns") == 60


def test_languages_and_speakers_have_their_own() -> None:
    assert said("live", language="de") == "laif"
    assert said("Hermione", speaker="MAN") == "Herm"


def test_a_spelling_may_use_other_words() -> None:
    assert said("A", {"words": {"A": "x B", "B": "y C", "C": "z"}}) == "x y z"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"words": {"A": "B", "B": "A"}}, "circle: (A -> B -> A|B -> A -> B)"),
        ({"words": {"a": "x b", "b": "c", "c": "y A z"}}, "circle"),
        ({"words": {f"w{n}": f"w{n + 1} w{n + 1}" for n in range(40)} | {"w40": "x"}}, "characters"),
        ({"words": {" ": "x"}}, "empty word"),
        ({"words": {"A": 5}}, "words.A"),
        (
            {"word": {}},
            "word: nothing of this name is known; its tables are words, patterns, language, speaker",
        ),
        ({"patterns": {"(": "x"}}, "broken"),
        ({"patterns": {"a*": "x"}}, "finds nothing"),
        ({"patterns": {"(a+)+b": "x"}}, "endless"),
        ({"patterns": {"(a|aa)+b": "x"}}, "endless"),
        ({"patterns": {"(?:a{1,50}){1,50}b": "x"}}, "endless"),
        ({"patterns": {r"(a+)\1b": "x"}}, "endless"),
        ({"patterns": {"a*a*a*b": "x"}}, "endless"),
        ({"patterns": {"(?=(a+)+)b": "x"}}, "endless"),
        ({"patterns": {"a?" * 30 + "a" * 30: "x"}}, "endless"),
        ({"patterns": {"(ab|a|b)" * 20 + "x": "x"}}, "endless"),
        ({"patterns": {"(?:(?:(?:aa|a)b?){3})x" * 4: "x"}}, "endless"),
        ({"patterns": {"(?:aa?)*x": "x"}}, "endless"),
        ({"patterns": {"(?:a?a?)+x": "x"}}, "endless"),
        ({"patterns": {"a": r"\1"}}, "no such group"),
        ({"patterns": {"a": r"\g<b>"}}, "no such group"),
        ({"patterns": {"a": r"\q"}}, "no such group"),
        ({"patterns": {"a{99999999999}": "x"}}, "broken"),
    ],
)
def test_what_is_no_lexicon(content: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Lexicon(content)


def test_files_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "names.toml"
    path.write_text("[words]\nA = 'bee'\n")
    assert read_lexicon(path).parts("A", None, None) == [("A", "bee")]
    for content in ("[words", "[words]\nA = 1", "\xff"):
        path.write_bytes(content.encode("latin-1"))
        with pytest.raises(InputError, match=r"names\.toml"):
            read_lexicon(path)
    with pytest.raises(InputError, match="No such file"):
        read_lexicon(tmp_path / "gone.toml")


@pytest.mark.parametrize("pattern", ["a*b", "a+a+b", r"\w+ \w+!", r"(?:a|ab|abc)(\w+)-?(?:st|nd)?!"])
def test_allowed_patterns_take_time_linear_in_the_text(pattern: str) -> None:
    def cpu_s(length: int) -> float:
        began = time.process_time()
        said("a" * length, {"patterns": {pattern: "x"}})
        return time.process_time() - began

    assert cpu_s(8_000) < 30 * max(cpu_s(1000), 0.001)


@given(
    st.text("ab .", max_size=40),
    st.dictionaries(st.text("ab", min_size=1, max_size=3), st.text("xy ", max_size=5)),
)
def test_every_place_that_is_a_word_is_changed_and_no_other(text: str, words: dict[str, str]) -> None:
    parts = Lexicon({"words": words}).parts(text, None, None)
    assert "".join(written for written, _ in parts) == text
    for word in text.replace(".", " ").split():
        assert word not in words or (word, words[word]) in parts


def test_more_languages_and_speakers_than_can_be_gone_through() -> None:
    """Each pair of them has all words: 900 of both took a minute."""
    some = {f"{number}": {"words": {"a": "b"}} for number in range(30)}
    Lexicon({"language": some, "speaker": {"MAN": {"words": {"c": "d"}}}})
    many = {f"{number}": {"words": {"a": "b"}} for number in range(500)}
    with pytest.raises(InputError, match="500 languages and 500 speakers: that is too much"):
        Lexicon({"language": many, "speaker": many})
