"""Kind: a period after an abbreviation, which may end the sentence as well, or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.ends import BEGINS
from alrakis.text.english.saying import say_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("He lives in the U.S. He left.", "He lives in the you ess. He left."),
        ("the U.S. Army", "the you ess Army"),
        ("at 9 a.m. He left.", "at nine ay em. He left."),
        ("at 9 a.m. sharp", "at nine ay em sharp"),
        ("on Main St. She waits", "on Main Street. She waits"),
        ("in St. Paul. He", "in Saint Paul. He"),
        ("Apple Inc. is", "Apple Incorporated is"),
        ("apples, etc. Then", "apples, et cetera. Then"),
        ("See you Mon. or Tues.", "See you Monday or Tuesday."),
        ("He came in Feb. with Ann.", "He came in February with Ann."),
        ("(at 5 p.m.)", "(at five pee em.)"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


ABBREVIATIONS = st.sampled_from(
    ["the U.K.", "etc.", "Smith Inc.", "John Jr.", "8 p.m.", "5 Jan.", "Elm Ave."]
)


@given(ABBREVIATIONS, st.sampled_from(BEGINS.split("|")))
def test_the_sentence_ends_where_another_begins(abbreviation: str, first: str) -> None:
    said = say_in_words(f"It was {abbreviation} {first} came.")
    assert f". {first} came." in said
    assert ". came" not in say_in_words(f"It was {abbreviation} and came.")
