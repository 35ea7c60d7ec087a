"""The rules in their order, and a text said by them.

What each kind of writing is read as, first come first served:

    primes      6'2", a 12" ruler, 51°30'
    addresses   https://example.com/a, ann@example.com, notes.txt, /usr/bin/env, 192.168.0.1, NY 10001
    numbers as dates   2024-05-17, 5/17/2024, 17.05.2024, 09-Jan-2025
    sums        2 + 2 = 4, 3 * 4, > 5, ~50, 1.5e-3
    codes       555-0182, +44 20 7946 0958, 978-3-16-148410-0, call 911
    versions    v1.2.3, version 3.10, Python 3.8-3.12
    ranges      12:30-14:00, $5-10, 5 kg-10 kg, Jan-Mar, 1st-3rd, 1939-45, 10 - 20
    money       $3M, $1.5bn, US$5, 5 €, £2k, $3-5M, $5/month, a $5 bill
    dates       the 2nd of Jan. 2005, Jan. 2-5, 5 May, Mon., 2 May, the 1990s
    times       9:30, 12:00 PM, 8 a.m., 1:02:03, '69
    fractions   1/2, 3 5/8, 24/7
    units       5 ft 11 in, 5'11", 60 km/h, 20 m², 2h 30m, a 5 kg bag, 1920x1080
    powers      x², 10^6, § 5
    Roman       Henry VIII, Chapter IV, the XX century
    numbers     1,250, 2.5, 007, 21st, No. 5, pp. 3-4, COVID-19
    words       Dr., Main St., e.g., U.S., NASA, FBI, &

What has no rule here is left unchanged. Time is linear in the text: no rule looks back or ahead
without a bound.
"""

import functools
import re
from collections.abc import Callable

from alrakis.text.english.addresses import ADDRESSES, MACHINES
from alrakis.text.english.dates import DATES, DECADES, TIMES, WRITTEN_IN_NUMBERS
from alrakis.text.english.money import MONEY
from alrakis.text.english.numbers import FRACTIONS, PLAIN, Rule
from alrakis.text.english.primes import PRIMES, inch_marks
from alrakis.text.english.ranges import BEFORE_MONEY, CODES, RANGES, SPACED
from alrakis.text.english.roman import ROMAN
from alrakis.text.english.signs import SIGNS, SUMS
from alrakis.text.english.units import SIZES, UNITS
from alrakis.text.english.versions import VERSIONS
from alrakis.text.english.words import NUMBERED, WORDS

_VULGAR = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
    "⅕": "1/5",
    "⅖": "2/5",
    "⅗": "3/5",
    "⅘": "4/5",
    "⅙": "1/6",
    "⅚": "5/6",
}
_MARKS = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": " ",
        "”": " ",
        '"': " ",
        "—": ", ",
        "–": "-",
        "…": ".",
        "−": "-",
        "‑": "-",
        "μ": "µ",
    }
    | {sign: f" {fraction}" for sign, fraction in _VULGAR.items()}
)
_RULES = (
    *SPACED,
    (r"(?<!\s)\s+-+\s+", lambda match: ", "),
    (r"(?<![\w.,)])\.(?=\d)", lambda match: "0."),
    *ADDRESSES,
    *WRITTEN_IN_NUMBERS,
    *SUMS,
    *CODES,
    *VERSIONS,
    *MACHINES,
    *BEFORE_MONEY,
    *MONEY,
    *RANGES,
    *DATES,
    *TIMES,
    *DECADES,
    *SIZES,
    *FRACTIONS,
    *UNITS,
    *SIGNS,
    *NUMBERED,
    *ROMAN,
    *PLAIN,
    *WORDS,
)


def say_in_words(text: str) -> str:
    """The text with numbers and abbreviations in words and white space normalised."""
    for pattern, said in _compiled(PRIMES):
        text = pattern.sub(said, text)
    text = inch_marks(text).translate(_MARKS)
    for pattern, said in _compiled(_RULES):
        text = pattern.sub(said, text)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"\s+(?=[,.!?;:)\]])|(?<=[(\[])\s+|,(?=\s*[,.])|(?<=[.!?;:]),", "", text).strip()


@functools.cache
def _compiled(rules: tuple[Rule, ...]) -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]:
    return [(re.compile(pattern, re.ASCII), said) for pattern, said in rules]
