"""Numbers in words: whole ones, decimals, ordinals, years, fractions, and numbers read digit by digit."""

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import inflect

Rule = tuple[str, Callable[[re.Match[str]], str]]  # a pattern, and what is said instead

_MAX_DIGITS = 15  # a longer number is read digit by digit
NUMBER = r"(?:\d+(?:,\d{3}){1,9}(?:\.\d+)?|\d{1,2}(?:,\d\d){1,5},\d{3}(?!\d)|\d+(?:\.\d+)?)"
YEAR = r"(?:1[1-9]\d\d|20\d\d)"
ORDINAL = r"(?:st|nd|rd|th|ST|ND|RD|TH)"
_PARTS = {2: "half", 4: "quarter"}  # of fractions; the others are ordinals
_EIGHTHS = (*range(2, 11), 12, 16, 32, 64, 100, 1000)  # what a fraction is a fraction of; 9/11 is none


@functools.cache
def _inflect() -> "inflect.engine":
    import inflect  # takes a quarter of a second, and only texts with digits need it

    return inflect.engine()


@functools.lru_cache(1024)  # inflect takes 0.1 ms a number
def words(number: str) -> str:
    """`1,250`, `2.5`, `007` or `21st` in words."""
    number = number.replace(",", "")
    whole = re.split(r"[.a-z]", number)[0]
    if len(whole) > _MAX_DIGITS or (len(whole) > 1 and whole[0] == "0"):
        return digits(number)
    return str(_inflect().number_to_words(number))


def digits(number: str) -> str:
    """A number digit by digit."""
    names = ("point" if char == "." else words(char) for char in number if char.isdigit() or char == ".")
    return " ".join(names)


def ordinal(number: str) -> str:
    """`2` as second."""
    number = number.replace(",", "")
    if len(number) > _MAX_DIGITS:
        return f"{digits(number)}th"
    return words(f"{int(number)}th")


def year(number: str) -> str:
    """A year of four digits, as it is said: 1984, 1905, 1900, 2005."""
    century, rest = int(number[:2]), int(number[2:])
    if century == 20 and rest < 10:
        return words(number)
    if not rest:
        return words(number) if century == 10 else f"{words(number[:2])} hundred"
    return f"{words(number[:2])} {'oh ' if rest < 10 else ''}{words(str(rest))}"


def points(version: str) -> str:
    """Numbers between points, each in full: 3.10.2."""
    return " point ".join(map(words, version.split(".")))


def _fraction(match: re.Match[str]) -> str:
    whole, over, under = match["whole"], int(match["over"]), int(match["under"])
    if not 0 < over < under or not (under in _EIGHTHS or over == 1 or whole):
        return match[0]
    if under == 100 and over > 10 and not whole:
        return f"{words(str(over))} out of {words(str(under))}"  # marks
    part = _PARTS.get(under) or ordinal(str(under)).removeprefix("one ")
    said = f"{words(str(over))} {part if over == 1 else 'halves' if under == 2 else f'{part}s'}"
    return f"{words(whole)} and {said}" if whole else said


FRACTIONS: tuple[Rule, ...] = (
    (r"(?<![\w/.])24/7(?![\w/])", lambda match: "twenty-four seven"),
    (
        r"(?<![\w/.,])(?:(?P<whole>\d{1,6})[ -])?(?P<over>\d{1,2})/(?P<under>\d{1,4})"
        r"(?![\d/]|[.,]\d| time\b)",
        _fraction,
    ),
)
PLAIN: tuple[Rule, ...] = (
    (r"\b\d+(?:\.\d+){2,}\b", lambda match: f" {points(match[0])} "),
    (rf"\b(\d{{1,3}}(?:,\d{{3}}){{1,4}}|\d+){ORDINAL}\b", lambda match: ordinal(match[1])),
    (rf"(?<![\d,.-])(?:{YEAR})(?![\d,%-]|\.\d)", lambda match: f" {year(match[0])} "),
    (r"(?<=\d):(?=\d)", lambda match: " to "),
    (r"(?<=\d)-(?=\d)", lambda match: " to "),
    (r"(?<![\w-])-(?=\d)", lambda match: "minus "),
    (NUMBER, lambda match: f" {words(match[0])} "),
)
