"""Abbreviations, capitals and what stands before numbers."""

import pytest

from alrakis.text.english.saying import say_in_words
from alrakis.text.english.words import spelled


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("COVID-19 and F-16", "COVID nineteen and F sixteen"),
        ("#5 and #tag", "number five and hashtag tag"),
        ("Nos. 5 and 6, fig. 3, p. 4", "numbers five and six, figure three, page four"),
        ("Chapter IV. Part XII", "Chapter four. Part twelve"),
        ("World War II", "World War two"),
        ("Part I know, Part I", "Part I know, Part one"),
        ("CHAPTER XXIX", "CHAPTER twenty-nine"),
        ("Mr Smith, Gov. Lee", "Mister Smith, Governor Lee"),
        ("Lt. Col. Smith and Mt. Everest", "Lieutenant Colonel Smith and Mount Everest"),
        ("Dr. Who met Dr. No", "Doctor Who met Doctor No"),
        ("E.g., Eq. (4), est. 1850", "For example, Equation (four), established eighteen fifty"),
        ("min. and max.", "minimum and maximum."),
        ("Gen Z and Gen. 1", "Gen Z and Genesis one"),
        ("a Ph.D. in", "a pee aitch dee in"),
        ("w/ him, w/o her", "with him, without her"),
        ("THE CAT SAT. WAR AND PEACE", "THE CAT SAT. WAR AND PEACE"),
        ("She DID it, by GOD", "She DID it, by GOD"),
        ("FBI, CIA and NSA", "eff bee eye, see eye ay and en ess ay"),
        ("no. I said", "no. I said"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


def test_letters_have_names() -> None:
    assert spelled("USA") == "you ess ay"
