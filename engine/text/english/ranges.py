"""Ranges: what stands on both sides of a dash goes from the one to the other.

What else has dashes between digits comes first: numbers of telephones, books and the like.
"""

import re

from alrakis.text.english.amounts import AMOUNT_BEFORE_DASH, SIGNS
from alrakis.text.english.dates import MONTH, MONTHS, SHORT_NAMES, full_name
from alrakis.text.english.numbers import Rule, digits

_NAME = "|".join(sorted((*SHORT_NAMES, *MONTHS), key=len, reverse=True))


def _groups(match: re.Match[str]) -> str:
    return ", ".join(digits(group) for group in re.findall(r"\d+", match[0]))


def _telephone(match: re.Match[str]) -> str:
    first, second = match.groups()
    if second.endswith("00") and int(first) < int(second):  # 500-1000
        return f"{first} to {second}"
    return _groups(match)


def _between_names(match: re.Match[str]) -> str:
    return f"{full_name(match[1])} to {full_name(match[2])}"


def _spaced(match: re.Match[str]) -> str:
    """A dash with spaces: a difference where what it comes to follows."""
    equals = re.match(r"[$€£¥]?[\d.,]+ ?=", match.string[match.end() : match.end() + 40])
    return " minus " if equals else "-"


_HALVES = r"(?<=\d[ap]m)|(?<=\d[AP]M)|(?<=\d [ap]m)|(?<=\d [AP]M)|(?<=[ap]\.m\.)"
SPACED: tuple[Rule, ...] = (
    (rf"({AMOUNT_BEFORE_DASH}) -{{1,3}} (?=[{SIGNS}]?\d)", lambda match: f"{match[1]} to "),
    (rf"(?:(?<=[\d%°])|{_HALVES}) -{{1,3}} (?=[{SIGNS}]?\d)", _spaced),
)
CODES: tuple[Rule, ...] = (
    (r"(?<![\w-])(?:\+?\d{1,3}[ -])?(?:\(\d{3}\) ?|\d{3}[ -])\d{3}-\d{4}(?![\w-])", _groups),
    (r"(?<!\w)\+\d{1,3}(?:[ -]\d{2,5}){2,4}(?![\w-])", _groups),
    (r"(?<![\w-])(\d{3})-(\d{4})(?![\w-])", _telephone),
    (r"(?<![\w-])\d+(?:-\d+){2,}(?![\w-])", _groups),
)
BEFORE_MONEY: tuple[Rule, ...] = (
    (rf"\b({_NAME})\.?-({_NAME})\b", _between_names),
    (rf"(?:{_HALVES})-(?=\d)", lambda match: " to "),
    (r"(?:(?<=\dst)|(?<=\dnd)|(?<=\drd)|(?<=\dth)|(?<=\ds)|(?<=\d's))-(?=\d)", lambda match: " to "),
    (rf"({AMOUNT_BEFORE_DASH})-(?=[{SIGNS}]?\d)", lambda match: f"{match[1]} to "),
    (rf"(?<=\d)-(?=[{SIGNS}]\d|{MONTH})", lambda match: " to "),
)
RANGES: tuple[Rule, ...] = ((r"(?<=\d)-(?=-?\d)", lambda match: " to "),)
