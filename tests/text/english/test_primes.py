"""Kind: prime marks, straight, curly or true; a quote that closes what was said is no inch."""

import pytest

from alrakis.text.english.primes import inch_marks
from alrakis.text.english.saying import say_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("He is 6'2\" tall.", "He is six feet two inches tall."),
        ("He is 6’ 2” tall.", "He is six feet two inches tall."),
        ("He is 6′2″.", "He is six feet two inches"),
        ("He is 6'2 tall.", "He is six foot two tall."),
        ("12' x 14'", "twelve by fourteen feet"),
        ("3'-4' deep", "three to four feet deep"),
        ("5'30\" long", "five minutes thirty seconds long"),
        ('a 12" ruler', "a twelve inch ruler"),
        ('8½" x 11"', "eight and one half inches by eleven inches"),
        ('1/8", 2 1/2"', "one eighth inch, two and one half inches"),
        ("51° 30' N", "fifty-one degrees thirty minutes N"),
        ("40° 26′ 46″ N", "forty degrees twenty-six minutes forty-six seconds N"),
        ("10\u202f000 people", "ten thousand people"),
        ("A–C", "A to C"),
        ("the '69 vintage", "the sixty-nine vintage"),
        ("the Smiths' 5 dogs", "the Smiths' five dogs"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


@pytest.mark.parametrize(
    "text", ['He said "I have 12" and left.', 'In 1955" he said', '"5" and "6"', 'the "number 5" bus']
)
def test_quotations_stay(text: str) -> None:
    assert inch_marks(text) == text
