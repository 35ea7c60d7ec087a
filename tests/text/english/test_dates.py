"""Kind: dates and times. An ordinal, or a day without one, has one article and its month in full."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.dates import MONTHS, SHORT_NAMES, full_name
from alrakis.text.english.numbers import ordinal, year
from alrakis.text.english.saying import say_in_words

MONTH_NAMES = [*MONTHS, *(f"{short}." for short, name in SHORT_NAMES.items() if name in MONTHS)]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("The 2nd of Jan. 2005 was cold.", "The second of January, two thousand and five was cold."),
        ("the 2nd of Jan. was", "the second of January was"),
        ("2 May", "the second of May"),
        ("on 2nd May 1999", "on the second of May, nineteen ninety-nine"),
        ("the sunny 2nd of May", "the sunny second of May"),
        ("this 4th of July", "this fourth of July"),
        ("every 5 May", "every fifth of May"),
        ("a 4th of July party", "a fourth of July party"),
        ("Jan. 2nd, 2005", "January second, two thousand and five"),
        ("Jan. 2-5, 2005", "January second to fifth, two thousand and five"),
        ("2-5 May 2005", "the second to the fifth of May, two thousand and five"),
        ("in Jan. 2005 and in Feb., too", "in January two thousand and five and in February, too"),
        ("He left in Jan. She stayed.", "He left in January. She stayed."),
        ("Mon., 2 Jan.", "Monday, the second of January."),
        ("Mon 2 Jan 2004", "Monday the second of January, two thousand and four"),
        ("5/17/2024", "May seventeenth, twenty twenty-four"),
        ("17/05/2024", "May seventeenth, twenty twenty-four"),
        ("17.05.2024", "May seventeenth, twenty twenty-four"),
        ("17-05-2024", "May seventeenth, twenty twenty-four"),
        ("1:02:03", "one oh two oh three"),
        ("1:02:03.5, 3:45.67", "one oh two oh three point five, three forty-five point six seven"),
        ("9.30am, 9.30 p.m. then", "nine thirty ay em, nine thirty pee em then"),
        ("00:00 and 12:30:00", "midnight and twelve thirty"),
        ("In the spring of '69 and ’05", "In the spring of sixty-nine and oh five"),
        (
            "on 14 Oct. 1066, May 5, 1005",
            "on the fourteenth of October, ten sixty-six, May fifth, ten oh five",
        ),
        ("between 3 and 5 May", "between the third and the fifth of May"),
        ("the 2nd and 3rd of June", "the second and third of June"),
        ("at 14:05 hrs", "at fourteen oh five hours"),
        ("in 1066, c. 1450", "in ten sixty-six, circa fourteen fifty"),
        ("2025-1-9, 2025/01/09", "January ninth, twenty twenty-five, January ninth, twenty twenty-five"),
        ("9.1.2025", "January ninth, twenty twenty-five"),
        ("09-Jan-2025", "January ninth, twenty twenty-five"),
        ("Jan-09-2025", "January ninth, twenty twenty-five"),
        ("9-JAN-25", "January ninth, twenty-five"),
        ("2025-01-09T12:30:00Z", "January ninth, twenty twenty-five, twelve thirty you tee see"),
        ("Fri, 9 Jan 2025", "Friday, the ninth of January, twenty twenty-five"),
        ("Sat. was nice", "Saturday was nice"),
        ("DEC. 25, 1990", "December twenty-fifth, nineteen ninety"),
        ("25 DECEMBER 1990", "the twenty-fifth of December, nineteen ninety"),
        ("Psalm 23:1", "Psalm twenty-three one"),
        ("wait 30s, in the 30s", "wait thirty seconds, in the thirties"),
        ("12:00 PM", "twelve pee em"),
        ("John 3:16", "John three sixteen"),
        ("May 45 people", "May forty-five people"),
        ("the sun. He sat.", "the sun. He sat."),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


@given(
    st.sampled_from(["", "The ", "the ", "This ", "every "]),
    st.integers(1, 31),
    st.booleans(),
    st.booleans(),
    st.sampled_from(MONTH_NAMES),
    st.one_of(st.none(), st.integers(1100, 2099)),
)
def test_a_day_before_its_month(
    article: str, day: int, suffix: bool, of: bool, month: str, its_year: int | None
) -> None:
    number = f"{day}{'st' if day % 10 == 1 and day != 11 else 'th' if suffix else ''}"
    written = f"{article}{number} {'of ' if of else ''}{month}{f' {its_year}' if its_year else ''}"
    said = say_in_words(written)
    assert f"{ordinal(str(day))} of {full_name(month)}" in said
    assert not re.search(r"\b(the|this|every) (the|this|every)\b", said.lower())
    assert its_year is None or said.endswith(f", {year(str(its_year))}")


@given(st.integers(1, 12), st.integers(1, 31), st.integers(1900, 2099))
def test_dates_in_numbers_are_one_date(month: int, day: int, its_year: int) -> None:
    said = f"{MONTHS[month - 1]} {ordinal(str(day))}, {year(str(its_year))}"
    for written in (
        f"{its_year}-{month:02}-{day:02}",
        f"{month}/{day}/{its_year}",
        f"{month}-{day}-{its_year}",
    ):
        assert say_in_words(written) == said
