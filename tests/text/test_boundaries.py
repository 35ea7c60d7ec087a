"""Where a text may be cut: in order, never within what belongs together, and where a reader expects it."""

import itertools
import re
from collections.abc import Callable

import pytest
import sentencex
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.text.boundaries import clause_ends, inner_sentence_ends, middle, sentence_ends
from alrakis.text.encoder import normalize_whitespace
from alrakis.text.pace import CHARS_A_SECOND

Find = Callable[[str, str], list[int]]
FINDERS: list[Find] = [sentence_ends, inner_sentence_ends, clause_ends]
FRAGMENTS = [
    *(
        "Dr. No said so.",
        "It costs 1,000.50 dollars,",
        "[clears throat]",
        "“Who? Me,” he said.",
        "♪ La la. La! ♪",
    ),
    *("a—b", "(yes; no)", "今天，很好。", "क्या हुआ।", "e\u0301", "👩\u200d🚀", "…", "[", "]", "♪"),
]
texts = (
    (st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), min_size=1).map(" ".join) | st.text())
    .map(normalize_whitespace)
    .filter(bool)
)


def parts(text: str, ends: list[int]) -> list[str]:
    return [text[begin:end].strip() for begin, end in itertools.pairwise([0, *ends, len(text)])]


@settings(max_examples=200)
@pytest.mark.parametrize("find", FINDERS, ids=lambda find: find.__name__)
@given(text=texts, language=st.sampled_from(sorted(CHARS_A_SECOND)))
def test_positions_are_in_order_and_not_within_tags(find: Find, text: str, language: str) -> None:
    ends = find(text, language)
    assert ends == sorted(set(ends))
    assert all(0 < end < len(text) for end in ends)
    for tag in re.finditer(r"\[[^\[\]]{1,40}\]", text):
        assert not any(tag.start() < end < tag.end() for end in ends)


@settings(max_examples=200)
@given(texts, st.sampled_from(sorted(CHARS_A_SECOND)))
def test_lyrics_are_whole_sentences(text: str, language: str) -> None:
    ends = sentence_ends(text, language)
    for lyrics in re.finditer("[♪♫][^♪♫]*[♪♫]", text):
        assert not any(lyrics.start() < end < lyrics.end() for end in ends)


@pytest.mark.parametrize(
    ("find", "language", "text", "expected"),
    [
        (sentence_ends, "en", "He met Ms. Lee. She sat.", ["He met Ms. Lee.", "She sat."]),
        (sentence_ends, "en", "“Who? Me,” he said. He left.", ["“Who? Me,” he said.", "He left."]),
        (sentence_ends, "en", "Now: ♪ La. La. ♪ Then.", ["Now:", "♪ La. La. ♪", "Then."]),
        (sentence_ends, "pl", "Mieszka przy ul. św. Anny. Tak.", ["Mieszka przy ul. św. Anny.", "Tak."]),
        (inner_sentence_ends, "en", "“Who? Me.” He left.", ["“Who?", "Me.”", "He left."]),
        (inner_sentence_ends, "en", "He said. “It is. So.”", ["He said.", "“It is.", "So.”"]),
        (clause_ends, "en", "One, two; three: four – five", ["One,", "two;", "three:", "four –", "five"]),
        (clause_ends, "en", "It is 1,000 or 3:45, no?", ["It is 1,000 or 3:45,", "no?"]),
        (clause_ends, "en", "“So,” he said—and left", ["“So,”", "he said—", "and left"]),
        (clause_ends, "zh", "今天，很好；1，000", ["今天，", "很好；", "1，000"]),
    ],
)
def test_cuts_are_where_a_reader_expects_them(
    find: Find, language: str, text: str, expected: list[str]
) -> None:
    assert parts(text, find(text, language)) == expected


words = st.lists(st.text("abcdé", min_size=1, max_size=9), min_size=1, max_size=12).map(" ".join)


@given(words.filter(lambda text: len(text) > 1))
def test_the_middle_is_the_nearest_space_or_letter(text: str) -> None:
    found = middle(text)
    places = [i + 1 for i, char in enumerate(text) if char == " "] or list(range(1, len(text)))
    assert found in places
    assert abs(2 * found - len(text)) == min(abs(2 * place - len(text)) for place in places)


@given(st.lists(st.sampled_from(["a", "e\u0301", "e\u0323\u0301", "क्षि", "👩\u200d🚀", "好"]), min_size=2))
def test_what_is_shown_as_one_character_is_not_cut(characters: list[str]) -> None:
    found = middle("".join(characters))
    assert found in set(itertools.accumulate(map(len, characters[:-1])))


@given(st.text(min_size=2))
def test_the_middle_of_any_text_leaves_something_on_both_sides(text: str) -> None:
    assert 0 < middle(text) < len(text)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("[clears throat] ok", "[clears throat] "),
        ("[clears throat][laughs]", "[clears throat]"),
        ("Dr. No is here", "Dr. No "),
        ("1 000 000 of us now", "1 000 000 "),
        ("कि", "क"),
    ],
)
def test_the_middle_hurts_as_little_as_can_be(text: str, cut: str) -> None:
    assert text[: middle(text)] == cut


SENTENCES = ["He came. ", "“Who? Me,” she said. ", "It is 5 p.m. now, Dr. No! ", "(Yes. Go on.) ", "Oh… no? "]


@given(
    st.lists(st.sampled_from(SENTENCES), min_size=150, max_size=400).map("".join),
    st.sampled_from(["en", "ja"]),
)
@settings(max_examples=30)
def test_a_long_text_ends_where_its_whole_does(text: str, language: str) -> None:
    """sentencex is shown a long text in parts."""
    whole = itertools.accumulate(map(len, sentencex.segment(language, text)))
    assert sentence_ends(text, language) == [end for end in whole if end < len(text)]


@given(
    st.text(st.sampled_from('ab .,!?"“”«»()「」。 Dr'), min_size=2001, max_size=5000).map(
        normalize_whitespace
    )
)
@settings(max_examples=50)
def test_a_long_text_of_anything_has_ends_in_order(text: str) -> None:
    ends = sentence_ends(text, "en")
    assert ends == sorted(set(ends))
    assert all(0 < end < len(text) for end in ends)


def test_a_sentence_longer_than_what_is_seen_at_once_has_no_end_in_it() -> None:
    text = "word " * 2000 + "end. And one more."
    assert parts(text, sentence_ends(text, "en")) == [text[:10_004], "And one more."]
