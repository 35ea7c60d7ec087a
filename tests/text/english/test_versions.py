"""Kind: versions. Each number in full, none lost, whatever they are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.numbers import words
from alrakis.text.english.saying import say_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("v1.2.3", "version one point two point three"),
        ("V2 is out.", "version two is out."),
        ("v2.", "version two."),
        ("version 1.10", "version one point ten"),
        ("ver. 3.1", "version three point one"),
        ("Python 3.12 and 3.12", "Python three point twelve and three point one two"),
        ("v2.0-rc1", "version two point zero ar see one"),
        ("1.2.3-beta.2", "one point two point three beta two"),
        ("5.5.5", "five point five point five"),
        ("versions 1.2-1.4", "versions one point two to one point four"),
        ("v1-v3", "version one to version three"),
        ("Python 3.8-3.12", "Python three point eight to three point twelve"),
        ("Python3.11 and python 3.10", "Python three point eleven and python three point ten"),
        ("2.0.0.dev3", "two point zero point zero dev three"),
        ("OpenSSL 1.1.1w", "OpenSSL one point one point one double-you"),
        ("v1.x or 2.x", "version one point x or two point x"),
        ("v. 2.1, v 2.1", "version two point one, version two point one"),
        ("Rev. 3.2", "revision three point two"),
        ("Figure 1.10 (2019)", "Figure one point ten (twenty nineteen)"),
        ("the tv2 and 1.5", "the tv two and one point five"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


@given(st.sampled_from(["v", "V", "ver ", "version "]), st.lists(st.integers(0, 999), min_size=1, max_size=5))
def test_every_number_of_a_version_is_said(name: str, numbers: list[int]) -> None:
    said = " point ".join(words(str(number)) for number in numbers)
    assert say_in_words(f"Use {name}{'.'.join(map(str, numbers))}, now") == f"Use version {said}, now"
