"""Numbers by themselves, years and fractions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.numbers import digits, ordinal, points, words, year
from alrakis.text.english.saying import say_in_words


def test_the_ways_to_say_a_number() -> None:
    assert words("1,250") == "one thousand, two hundred and fifty"
    assert digits("0.5") == "zero point five"
    assert ordinal("21") == "twenty-first"
    assert [year(number) for number in ("1905", "1900", "2005", "2015")] == [
        "nineteen oh five",
        "nineteen hundred",
        "two thousand and five",
        "twenty fifteen",
    ]
    assert points("3.10") == "three point ten"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1 1/2 cups", "one and one half cups"),
        ("1½ cups", "one and one half cups"),
        ("5/8 and 3/4", "five eighths and three quarters"),
        ("9/11", "nine eleven"),
        ("1/12, 1/20 and 3/100", "one twelfth, one twentieth and three hundredths"),
        ("98/100", "ninety-eight out of one hundred"),
        ("3/4 time", "three four time"),
        ("1,000th", "one thousandth"),
        ("1,23,456", "one hundred and twenty-three thousand, four hundred and fifty-six"),
        ("(1) and [2]", "(one) and [two]"),
        ("24/7", "twenty-four seven"),
        ("3:1", "three to one"),
        (".5", "zero point five"),
        ("it ended.5 came", "it ended. five came"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


@given(st.integers(1, 9), st.integers(2, 10))
def test_fractions(over: int, under: int) -> None:
    """What is less than one is a fraction; other numbers are said one after the other."""
    said = say_in_words(f"{over}/{under}")
    if over >= under:
        assert said == f"{words(str(over))} {words(str(under))}"
    else:
        part = {2: "half", 4: "quarter"}.get(under, ordinal(str(under)))
        assert said == f"{words(str(over))} {part}{'s' if over > 1 else ''}"
