"""Kind: quantities with their units, alone, before what they measure, and with a period that ends nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.numbers import words
from alrakis.text.english.saying import say_in_words
from alrakis.text.english.units import _UNITS


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
        ("a 5 lb. bag", "a five pound bag"),
        ("3 lbs. 4 oz.", "three pounds four ounces."),
        ("2 tsp. of salt", "two teaspoons of salt"),
        ("He ran 5 mi. She ran 6 mi.", "He ran five miles. She ran six miles."),
        ("6ft2in", "six feet two inches"),
        ("8.5 x 11 in", "eight point five by eleven inches"),
        ("3 m x 4 m", "three meters by four meters"),
        ("3m × 4m", "three meters by four meters"),
        ("9.8 m/s²", "nine point eight meters per second squared"),
        (
            "9.8 m/s^2 and 3 m/s2",
            "nine point eight meters per second squared and three meters per second squared",
        ),
        ("20 m^2, 20 ft2", "twenty square meters, twenty square feet"),
        ("16 fl. oz. of water", "sixteen fluid ounces of water"),
        ("50 Ω and 5 ‰", "fifty ohms and five per mille"),
        ("1½ tsp. salt, ½ kg", "one and one half teaspoons salt, one half kilogram"),
        ("3/4 lb. of it, 5 1/2 in.", "three quarters pound of it, five and one half inches."),
        ("2h30", "two hours thirty minutes"),
        ("0x1F", "zero ex one F"),
        ("5 km away and a 5 km run", "five kilometers away and a five kilometer run"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


@given(st.sampled_from(list(_UNITS)), st.integers(0, 999), st.sampled_from(["", " "]))
def test_every_unit_is_said(unit: str, number: int, space: str) -> None:
    name = _UNITS[unit][number != 1]
    assert say_in_words(f"About {number}{space}{unit}, or so") == f"About {words(str(number))} {name}, or so"


@given(st.sampled_from([unit for unit in _UNITS if unit.isalpha() and unit.isascii()]), st.integers(2, 999))
def test_a_period_within_a_sentence_is_not_said(unit: str, number: int) -> None:
    assert (
        say_in_words(f"Take {number} {unit}. of it.") == f"Take {words(str(number))} {_UNITS[unit][1]} of it."
    )
