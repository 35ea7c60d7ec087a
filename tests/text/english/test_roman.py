"""Kind: Roman numerals, which are ordinals after names of rulers; letters that only look like one stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.numbers import ordinal, words
from alrakis.text.english.roman import value
from alrakis.text.english.saying import say_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Henry VIII had six wives.", "Henry the eighth had six wives."),
        ("Pope John Paul II died.", "Pope John Paul the second died."),
        ("Ramses II's tomb", "Ramses the second's tomb"),
        ("Charles V and Leo X", "Charles the fifth and Leo the tenth"),
        ("Queen Elizabeth I and King James I", "Queen Elizabeth the first and King James the first"),
        ("Charles I was king.", "Charles the first was king."),
        ("a man whom Charles I think knew", "a man whom Charles I think knew"),
        ("John D. Rockefeller III", "John D. Rockefeller the third"),
        ("Malcolm X", "Malcolm X"),
        ("Rocky II, Apollo XIII", "Rocky two, Apollo thirteen"),
        ("World War I began, and WWII", "World War one began, and World War two"),
        ("Type II and Phase III", "Type two and Phase three"),
        ("Super Bowl LVIII", "Super Bowl fifty-eight"),
        ("Act III, scene ii", "Act three, scene two"),
        ("Vol. III, Chapter XLII", "Volume three, Chapter forty-two"),
        ("Part C and Vitamin C", "Part C and Vitamin C"),
        ("the XIXth century, the XX century", "the nineteenth century, the twentieth century"),
        ("in MCMXCIX", "in nineteen ninety-nine"),
        ("XIV. The Storm", "fourteen. The Storm"),
        ("an IV drip, my CV, a CD", "an eye vee drip, my see vee, a see dee"),
        ("Chapters IX–XII, pp. xi–xv", "Chapters nine to twelve, pages eleven to fifteen"),
        ("mix, civil, I am", "mix, civil, I am"),
        ("MIX and MIDI", "MIX and MIDI"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


def roman(number: int) -> str:
    signs = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    written = ""
    for worth, letters in signs:
        while number >= worth:
            written, number = written + letters, number - worth
    return written


@given(st.integers(1, 39))
def test_all_numerals_are_read(number: int) -> None:
    assert value(roman(number)) == number
    assert say_in_words(f"King Louis {roman(number)} came") == f"King Louis the {ordinal(str(number))} came"
    assert say_in_words(f"Chapter {roman(number)}.") == f"Chapter {words(str(number))}."


@given(st.text("IVXLCDM", min_size=1, max_size=8))
def test_only_numerals_as_they_are_written_have_a_value(letters: str) -> None:
    found = value(letters)
    assert found is None or found > 0
    if found is not None and found < 40:
        assert roman(found) == letters
