"""Ranges: what stands on both sides of a dash goes from the one to the other.

What else has dashes between digits comes first: numbers of telephones, books and the like.
"""

import re

from alrakis.text.english.dates import DAYS, MONTH, MONTHS, SHORT_NAMES, full_name
from alrakis.text.english.money import AMOUNT_BEFORE_DASH, SIGNS
from alrakis.text.english.numbers import NUMBER, Rule, digits

_NAME = "|".join(sorted((*SHORT_NAMES, *MONTHS, *DAYS), key=len, reverse=True))
_ERA = "BCE?|CE|AD"


def _groups(match: re.Match[str]) -> str:
    return ", ".join(digits(group) for group in re.findall(r"\d+", match[0]))


def _national(match: re.Match[str]) -> str:
    """A number that begins with + or 0 and has as many digits as telephones have."""
    return _groups(match) if sum(map(str.isdigit, match[0])) >= 7 else match[0]


def _telephone(match: re.Match[str]) -> str:
    first, second = match.groups()
    if second.endswith("00") and int(first) < int(second):  # 500-1000
        return f"{first} to {second}"
    return _groups(match)


def _between_names(match: re.Match[str]) -> str:
    ends = match.string[match.end() : match.end() + 2].strip()
    return f"{full_name(match[1])} to {full_name(match[2])}" + ("." if match[3] and not ends else "")


def _spaced(match: re.Match[str]) -> str:
    """A dash with spaces: a difference where what it comes to follows."""
    equals = re.match(r"[$€£¥]?[\d.,]+ ?=", match.string[match.end() : match.end() + 40])
    return " minus " if equals else "-"


_HALVES = r"(?<=\d[ap]m)|(?<=\d[AP]M)|(?<=\d [ap]m)|(?<=\d [AP]M)|(?<=[ap]\.m\.)"
SPACED: tuple[Rule, ...] = (
    (rf"({AMOUNT_BEFORE_DASH}) -{{1,3}} (?=[{SIGNS}]?\d)", lambda match: f"{match[1]} to "),
    (rf"(?:(?<=[\d%°])|{_HALVES}) -{{1,3}} (?=[{SIGNS}]?\d|{MONTH})", _spaced),
)
CODES: tuple[Rule, ...] = (
    (r"(?<![\w.-])\d{3}\.\d{3}\.\d{4}(?![\w-]|\.\d)", _groups),
    (r"(?<![\w-])(?:\+?\d{1,3}[ -])?(?:\(\d{3}\) ?|\d{3}[ -])\d{3}[ -]\d{4}(?![\w-])", _groups),
    (r"(?<!\w)\+\d{1,3}(?: ?\(\d{1,5}\) ?|[ -]?)\d{1,11}(?:[ -]\d{2,8}){0,5}(?![\w-])", _national),
    (r"(?<![\w.,:/$-])(?:0\d{1,5}|\(0\d{1,5}\))(?:[ -]\d{2,8}){1,5}(?![\w-]|[.,:/]\d)", _national),
    (r"(?<![\w-])\d{4}(?: \d{4}){3}(?![\w-])", _groups),
    (r"(?<!\w)\+?(?:\d{1,3}-)?\d{3}-(?=[A-Z]{3})", lambda match: f"{_groups(match)}, "),
    (
        r"\b((?:[Cc]all|[Dd]ial|[Pp]hone|[Rr]ing|[Tt]ext)(?:s|ed|led|ing|ling)? )([1-9]\d\d)"
        r"(?![\w,-]|\.\d| (?!or|and|if|now|at|for|to)[a-z])",
        lambda match: f"{match[1]}{digits(match[2])}",
    ),
    (r"(?<![\w.,$-])(\d{3})-(\d{4})(?![\w-]|\.\d)", _telephone),
    (r"(?<![\w.-])\d+(?:-\d+){2,}(?![\w-]|\.\d)", _groups),
)
BEFORE_MONEY: tuple[Rule, ...] = (
    (rf"\b({_NAME})\.?-({_NAME})\b(\.?)", _between_names),
    (rf"(?:{_HALVES})-(?=\d|noon|midnight)|(?<=\bnoon)-(?=\d)|(?<=\bmidnight)-(?=\d)", lambda match: " to "),
    (rf"\b({_ERA}) ?- ?(?=(?:{_ERA} )?\d)", lambda match: f"{match[1]} to "),
    (r"(?<=\d)-(?=AD \d)", lambda match: " to "),
    (r"(?<=#)(\d{1,6})-#?(?=\d)", lambda match: f"{match[1]} to "),
    (r"\b(Nos?\.? \d{1,6})-Nos?\.? (?=\d)", lambda match: f"{match[1]} to "),
    (r"\b(Q[1-4])-(?=Q?[1-4]\b)", lambda match: f"{match[1]} to "),
    (r"\bA-Z\b|\ba-z\b", lambda match: match[0].replace("-", " to ")),
    (r"(?<![\w:.,/$-])(20|50)-\1(?![\w:%°-]|[.,]\d)", lambda match: f"{match[1]} {match[1]}"),
    (r"(?<![\w:.,/$-])24-7(?![\w:%°-]|[.,]\d)", lambda match: "24/7"),
    (r"(?<![\w/.,-])(\d{1,3})-(?=\d{1,2}/\d{1,2}(?![\d/]))", lambda match: f"{match[1]} "),
    (r"(?:(?<=\dst)|(?<=\dnd)|(?<=\drd)|(?<=\dth)|(?<=\ds)|(?<=\d's))-(?=\d)", lambda match: " to "),
    (rf"([{SIGNS}]{NUMBER})(bn|mn|[kKmMbB])-({NUMBER}\2)(?!\w)", lambda match: f"{match[1]}-{match[3]}"),
    (rf"({AMOUNT_BEFORE_DASH})-(?=[{SIGNS}]?\d)", lambda match: f"{match[1]} to "),
    (rf"(?<=\d)-(?=[{SIGNS}]\d|{MONTH})", lambda match: " to "),
)
RANGES: tuple[Rule, ...] = ((r"(?<=\d)-(?=-?\d)", lambda match: " to "),)
