"""Word error rates: numbers both ways, no case, no punctuation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.listening.errors_of import distance, word_error_rate, words_of


@pytest.mark.parametrize(
    ("said", "heard", "rate"),
    [
        ("It costs $12.50, Dr. Brown!", "It costs twelve dollars and fifty cents, Doctor Brown.", 0.0),
        ("It costs twelve dollars.", "It costs $12.", 0.0),
        ("At 9:30 a.m.", "at nine thirty AM", 0.0),
        ("At 9:30", "at 930", 0.0),
        ("At 9:30", "at 931", 0.5),
        ("Don\u2019t go [laughs]", "don't go", 0.0),
        ("one two three four", "one three four", 0.25),
        ("one two", "one two two two", 1.0),
        ("one two", "", 1.0),
        ("", "one", 1.0),
    ],
)
def test_rates(said: str, heard: str, rate: float) -> None:
    assert word_error_rate([said], heard, "en") == rate


def test_the_best_of_several_spellings_counts() -> None:
    assert word_error_rate(["Hermione", "her my oh nee"], "her my oh nee", "en") == 0.0


def test_letters_are_compared_where_words_have_no_spaces() -> None:
    assert words_of("今天，很好。", "zh") == list("今天很好")
    assert word_error_rate(["今天很好"], "今天好", "zh") == 0.25


def slow(wanted: str, heard: str) -> int:
    if not wanted or not heard:
        return len(wanted) + len(heard)
    change = slow(wanted[1:], heard[1:]) + (wanted[0] != heard[0])
    return min(change, slow(wanted[1:], heard) + 1, slow(wanted, heard[1:]) + 1)


@given(st.text("ab", max_size=5), st.text("ab", max_size=5))
def test_distance_is_what_trying_everything_finds(wanted: str, heard: str) -> None:
    assert distance(wanted, heard) == slow(wanted, heard)
