"""Signs of sums, comparisons and powers, and signs that stand for a word."""

import re

from alrakis.text.english.numbers import Rule, ordinal

_HIGH = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_POWERS = str.maketrans(_HIGH, "0123456789-")
_WORDS = {
    "§§": "sections",
    "§": "section",
    "¶": "paragraph",
    "№": "number",
    "©": "copyright",
    "π": "pi",
    "∞": "infinity",
    "√": "the square root of",
    "≈": "about",
    "±": "plus or minus",
    "≠": "is not",
    "÷": "divided by",
    "·": "",
    "•": "",
    "®": "",
    "™": "",
}
_COMPARED = {
    ">": "more than",
    "<": "less than",
    "≥": "at least",
    "≤": "at most",
    ">=": "at least",
    "<=": "at most",
}
_NUMBER_NEXT = r"(?=[~$€£¥-]?\.?\d)"


def _power(match: re.Match[str]) -> str:
    power = match[1].translate(_POWERS)
    if power in ("2", "3"):
        return " squared" if power == "2" else " cubed"
    minus, number = "minus " if power[0] == "-" else "", power.lstrip("-")
    return f" to the {minus}{ordinal(number)}" if number else match[0]


def _scientific(match: re.Match[str]) -> str:
    return f" times ten to the {'minus ' if match[1] == '-' else ''}{ordinal(match[2])}"


def _compared(match: re.Match[str]) -> str:
    """`x > 5` is a sentence, `in >5 cases` is not."""
    whole = match["before"] and (match["space"] == match["behind"])
    return f"{match['before'] or ''} {'is ' if whole else ''}{_COMPARED[match['sign']]} "


SUMS: tuple[Rule, ...] = (  # before fractions, units and ranges
    (r"(?<=\d)[eE]([+-]?)(\d{1,3})(?![\w.])", _scientific),
    (rf"(?<=\d) ?[x×·*] ?10(?=[{_HIGH}^])", lambda match: " times 10"),
    (r"(?<=[\d)]) ?\* ?(?=[\d(])", lambda match: " times "),
    (r"(?<=\d) ?/ ?(?=\d{1,9}(?:\.\d{1,9})? ?=)", lambda match: " divided by "),
    (
        rf"(?P<before>[\w)])?(?P<space> ?)(?P<sign>[<>]=|[<>≥≤])(?P<behind> ?){_NUMBER_NEXT}",
        _compared,
    ),
    (rf"(?<![\w~])~ ?{_NUMBER_NEXT}", lambda match: "about "),
)
SIGNS: tuple[Rule, ...] = (  # after units: 20 m² is an area
    (rf"(?<=[\w)])([{_HIGH}]{{1,4}})", _power),
    (r"(?<=[\w)])\^(-?\d{1,3})(?![\w.])", _power),
    (r"(?<=[^\W_])_(?=[^\W_])", lambda match: " "),
    (rf"({'|'.join(_WORDS)})", lambda match: f" {_WORDS[match[1]]} "),
)
