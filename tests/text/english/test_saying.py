"""Numbers, dates, times, money and abbreviations are written out as English says them."""

import re
from pathlib import Path

import inflect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.saying import say_in_words

PAIRS = Path(__file__).parents[3] / "tools" / "demo_voice" / "number_sentences.txt"


def plain(text: str) -> str:
    text = text.replace("ay em", "a m").replace("pee em", "p m").replace("you ess ay", "u s a")
    return " ".join(re.findall("[a-z]+", text.lower()))


@pytest.mark.parametrize("pair", PAIRS.read_text("utf-8").splitlines())
def test_sentences_of_the_evaluation(pair: str) -> None:
    written, said = pair.split("\t")
    assert plain(say_in_words(written)) == plain(said)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("12:00", "twelve o'clock"),
        ("at 10:00 a.m.", "at ten ay em."),
        ("7pm now", "seven pee em now"),
        ("score 3:72", "score three to seventy-two"),
        ("$1", "one dollar"),
        ("$0.99", "ninety-nine cents"),
        ("£1.01", "one pound and one penny"),
        ("¥1,500", "one thousand, five hundred yen"),
        ("€2.5 billion", "two point five billion euros"),
        ("1900", "nineteen hundred"),
        ("2024-05-17", "May seventeenth, twenty twenty-four"),
        ("5 May 1999", "the fifth of May, nineteen ninety-nine"),
        ("Sept. 11, 2001", "September eleventh, two thousand and one"),
        ("the 80s and the 1920s", "the eighties and the nineteen twenties"),
        ("10-20 people", "ten to twenty people"),
        ("007", "zero zero seven"),
        ("3.14", "three point one four"),
        ("Section 3.2.1", "Section three point two point one"),
        ("1/2 cup", "one half cup"),
        ("-20°C", "minus twenty degrees Celsius"),
        ("1 kg", "one kilogram"),
        ("St. Paul, on Main St.", "Saint Paul, on Main Street."),
        ("Dr. No, 5 Elm Dr.", "Doctor No, five Elm Drive."),
        ("No. 5, no. I said", "number five, no. I said"),
        ("NASA and the FBI", "NASA and the eff bee eye"),
        ("I AM here", "I AM here"),
        ("A & B", "A and B"),
        ("“Well…” – it’s 5", "Well. it's five"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


def test_numbers_too_long_to_name_are_read_digit_by_digit() -> None:
    assert say_in_words("1" * 16) == " ".join(["one"] * 16)


@given(st.integers(0, 10**15 - 1))
def test_whole_numbers_are_what_inflect_says(n: int) -> None:
    if not 1100 <= n < 2100:  # years
        assert say_in_words(f"{n:,}") == inflect.engine().number_to_words(n)


@given(st.text())
def test_no_digit_is_left_and_saying_it_again_changes_nothing_but_capitals(text: str) -> None:
    said = say_in_words(text)
    assert not re.search("[0-9]", said)
    assert not said.startswith(" ")


PLAIN = "The quick brown fox jumps over the lazy dog, doesn't it?"


@given(st.text(alphabet="abcdefghij ,.!?'", max_size=40))
def test_plain_words_stay(text: str) -> None:
    assert re.findall("[a-z]+", say_in_words(text)) == re.findall("[a-z]+", text) or re.search(
        r"[a-z]\.[a-z]",
        text,  # initials, or an address
    )
    assert say_in_words(PLAIN) == PLAIN


@pytest.mark.parametrize(
    "around", ["{}", "{}th", "${}", "${}.00", "{} kg", "-{}", "{}s", "{}-{}", "May {}", "{},000"]
)
def test_numbers_of_thousands_of_digits_are_read(around: str) -> None:
    digits = "1" * 5000
    assert say_in_words(around.format(digits, digits)).count("one") >= 4999
