"""Kinds: money with its magnitudes, and units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.amounts import _COINS, _MAGNITUDES, _UNITS
from alrakis.text.english.numbers import words
from alrakis.text.english.saying import say_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$3M", "three million dollars"),
        ("$1.5bn", "one point five billion dollars"),
        ("£2k", "two thousand pounds"),
        ("US$3", "three you ess dollars"),
        ("NZ$3M", "three million New Zealand dollars"),
        ("$3-5M", "three to five million dollars"),
        ("$3M-$5M", "three million dollars to five million dollars"),
        ("$5/month", "five dollars per month"),
        ("$3.50/kg", "three dollars and fifty cents per kilogram"),
        ("5 €", "five euros"),
        ("$.50", "fifty cents"),
        ("-$5", "minus five dollars"),
        ("a $5 bill", "a five dollar bill"),
        ("a $3M deal", "a three million dollar deal"),
        ("5¢", "five cents"),
        ("3bn people and 5M users", "three billion people and five million users"),
        ("$5 more for 3 kids", "five dollars more for three kids"),
        ("$3 Men", "three dollars Men"),
    ],
)
def test_money(written: str, said: str) -> None:
    assert say_in_words(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("5 ft 11 in", "five feet eleven inches"),
        ("5'11\"", "five feet eleven inches"),
        ("5 ft. 11 in. tall", "five feet eleven inches tall"),
        ("2 in. wide, 2.5 in.", "two inches wide, two point five inches."),
        ("at 5 in the morning", "at five in the morning"),
        ("He came in at 5 in a car.", "He came in at five in a car."),
        ("a 5-kg bag", "a five kilogram bag"),
        ("a 5 kg bag", "a five kilogram bag"),
        ("a 10-foot pole", "a ten foot pole"),
        ("3 m/s", "three meters per second"),
        ("20 m² and 20 sq ft", "twenty square meters and twenty square feet"),
        ("2h 30m", "two hours thirty minutes"),
        ("1920x1080", "nineteen twenty by one thousand and eighty"),
        ("3x faster", "three times faster"),
        ("90 °F", "ninety degrees Fahrenheit"),
    ],
)
def test_units(written: str, said: str) -> None:
    assert say_in_words(written) == said


@given(st.sampled_from(list(_COINS)), st.integers(2, 999), st.sampled_from(list(_MAGNITUDES)), st.booleans())
def test_every_magnitude_after_money_is_said(sign: str, number: int, letters: str, end: bool) -> None:
    said = f"{words(str(number))} {_MAGNITUDES[letters]} {_COINS[sign][0][1]}"
    assert say_in_words(f"It cost {sign}{number}{letters}{'.' if end else ' then'}").startswith(
        f"It cost {said}"
    )


@given(st.sampled_from(list(_UNITS)), st.integers(0, 999), st.sampled_from(["", " "]))
def test_every_unit_is_said(unit: str, number: int, space: str) -> None:
    name = _UNITS[unit][number != 1]
    assert say_in_words(f"About {number}{space}{unit}, or so") == f"About {words(str(number))} {name}, or so"
