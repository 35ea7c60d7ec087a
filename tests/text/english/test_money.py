"""Kind: money, with its magnitudes, countries and codes, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.money import _CODES, _COINS, _COUNTRIES, _MAGNITUDES, SIGNS
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
        ("$250k/year", "two hundred and fifty thousand dollars per year"),
        ("$3 M", "three million dollars"),
        ("£20 m.", "twenty million pounds."),
        ("$3 Bob", "three dollars Bob"),
        ("$5 million dollars", "five million dollars"),
        ("$40K–60K", "forty to sixty thousand dollars"),
        ("$-300", "minus three hundred dollars"),
        ("three $20 bills", "three twenty dollar bills"),
        ("two $20s and a $5", "two twenties and a five dollars"),
        ("CAD$25", "twenty-five Canadian dollars"),
        ("R$10", "R ten dollars"),
        ("USD 500, 20 EUR", "five hundred you ess dollars, twenty euros"),
        ("USD/EUR rate", "you ess dee ee you ar rate"),
        ("€2,5 and 1,50 €", "two point five euros and one euro and fifty cents"),
        ("10.000 € and 10 000 €", "ten thousand euros and ten thousand euros"),
        ("₹2,50,000", "two hundred and fifty thousand rupees"),
        ("₹5 crore", "five crore rupees"),
        ("₪20 and ₩5", "twenty shekels and five won"),
        ("10k people in a 10k run", "ten thousand people in a ten k run"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


@given(st.sampled_from(list(_COINS)), st.integers(2, 999), st.sampled_from(list(_MAGNITUDES)), st.booleans())
def test_every_magnitude_after_money_is_said(sign: str, number: int, letters: str, end: bool) -> None:
    said = f"{words(str(number))} {_MAGNITUDES[letters]} {_COINS[sign][0][1]}"
    assert say_in_words(f"It cost {sign}{number}{letters}{'.' if end else ' then'}").startswith(
        f"It cost {said}"
    )


@given(st.sampled_from(SIGNS), st.integers(2, 999), st.sampled_from([" ", ""]), st.booleans())
def test_no_sign_is_left_on_either_side(sign: str, number: int, space: str, before: bool) -> None:
    written = f"{sign}{number}" if before else f"{number}{space}{sign}"
    assert say_in_words(f"For {written}, then.") == f"For {words(str(number))} {_COINS[sign][0][1]}, then."


@given(st.sampled_from(list(_COUNTRIES)), st.integers(2, 999))
def test_dollars_of_countries(country: str, number: int) -> None:
    said = say_in_words(f"It is {country}${number}, or so")
    where = say_in_words(_COUNTRIES[country])
    assert said == f"It is {words(str(number))} {where} dollars, or so"


@given(st.sampled_from(list(_CODES)), st.integers(2, 999))
def test_codes_stand_on_either_side(code: str, number: int) -> None:
    assert say_in_words(f"{code} {number}") == say_in_words(f"{number} {code}")
    assert say_in_words(f"{code} {number}").startswith(f"{words(str(number))} ")
