"""Abbreviations, initials, words in capitals, and signs."""

import re
from collections.abc import Callable

from alrakis.text.english.numbers import Rule, words

_WORDS = {  # abbreviations that have a period
    "Mr": "mister",
    "Mrs": "missus",
    "Ms": "miz",
    "Prof": "professor",
    "Gen": "general",
    "Capt": "captain",
    "Sgt": "sergeant",
    "Lt": "lieutenant",
    "Rev": "reverend",
    "Sen": "senator",
    "Jr": "junior",
    "Sr": "senior",
    "Inc": "incorporated",
    "Ltd": "limited",
    "Co": "company",
    "Corp": "corporation",
    "Dept": "department",
    "Ave": "avenue",
    "Rd": "road",
    "Blvd": "boulevard",
    "Mt": "mount",
    "vs": "versus",
    "etc": "et cetera",
    "approx": "approximately",
    "e.g": "for example",
    "i.e": "that is",
    "Vol": "volume",
}
_NUMBERED = {  # before a number, with a period
    "No": "number",
    "no": "number",
    "Nos": "numbers",
    "nos": "numbers",
    "p": "page",
    "pp": "pages",
    "ch": "chapter",
    "Ch": "Chapter",
    "fig": "figure",
    "Fig": "Figure",
    "eq": "equation",
    "Eq": "Equation",
    "sec": "section",
    "Sec": "Section",
    "vol": "volume",
    "Apt": "apartment",
    "Hwy": "highway",
}
_SIGNS = {"&": "and", "+": "plus", "=": "equals", "@": "at", "%": "percent", "°": "degrees", "/": ""}
# fmt: off
_SHOUTED = {  # words in capitals that are not read letter by letter
    "AM", "AN", "AND", "ARE", "AS", "AT", "BE", "BUT", "BY", "DO", "FOR", "GO", "HE", "IF", "IN", "IS",
    "IT", "ME", "MY", "NO", "NOT", "OF", "OK", "ON", "OR", "SO", "THE", "TO", "UP", "WE", "YES", "YOU",
    "ALL", "ANY", "CAN", "HAS", "HAD", "HER", "HIM", "HIS", "HOW", "ITS", "NEW", "NOW", "OFF", "ONE",
    "OUR", "OUT", "SEE", "SHE", "TWO", "WAS", "WHO", "WHY", "BIG", "DAY", "GET", "GOT", "LET", "MAN",
    "MAY", "OLD", "PUT", "RUN", "SAY", "TOO", "USE", "WAY",
}
# fmt: on
# fmt: off
_LETTERS = (
    "ay", "bee", "see", "dee", "ee", "eff", "gee", "aitch", "eye", "jay", "kay", "ell", "em", "en",
    "oh", "pee", "cue", "ar", "ess", "tee", "you", "vee", "double-you", "ex", "why", "zee",
)
# fmt: on

_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_IS_ROMAN = re.compile("C{0,3}(?:XC|XL|LX{0,3}|X{0,3})(?:IX|IV|VI{0,3}|I{0,3})")
_PARTS_OF_BOOKS = "Chapter|CHAPTER|Part|PART|Book|BOOK|Volume|VOLUME|Act|ACT|Scene|SCENE|Canto|War"


def _abbreviation(match: re.Match[str]) -> str:
    said = _WORDS[match[1]]
    return f"{said.capitalize() if match[1][0].isupper() else said}{'.' if match[2] is not None else ''}"


def spelled(text: str) -> str:
    """Letters by their names."""
    names = [_LETTERS[ord(char.lower()) - ord("a")] for char in text if char.isascii() and char.isalpha()]
    return " ".join(names)


def _initials(match: re.Match[str]) -> str:
    return spelled(match[0]) + ("." if match.end() == len(match.string) else "")


def _capitals(match: re.Match[str]) -> str:
    """Letter by letter if it has at most three letters or no vowel, and is not in `_SHOUTED`."""
    letters = match[0].removesuffix("s")
    if letters in _SHOUTED or (len(letters) > 3 and re.search("[AEIOUY]", letters)):
        return match[0]
    return spelled(letters) + ("s" if match[0].endswith("s") else "")


def _roman(match: re.Match[str]) -> str:
    values = [_ROMAN[letter] for letter in match[2]]
    number = sum(-own if own < after else own for own, after in zip(values, [*values[1:], 0], strict=True))
    somebody = match[2] == "I" and re.match(" [a-z]", match.string[match.end() : match.end() + 2])
    return match[0] if somebody or not _IS_ROMAN.fullmatch(match[2]) else f"{match[1]} {words(str(number))}"


def _is(said: str) -> Callable[[re.Match[str]], str]:
    return lambda match: said


NUMBERED: tuple[Rule, ...] = (
    (rf"\b({'|'.join(_NUMBERED)})\. ?(?=\d)", lambda match: f"{_NUMBERED[match[1]]} "),
    (r"(?<!\w)#(?=\d)", _is("number ")),
    (r"(?<!\w)#(?=[A-Za-z])", _is("hashtag ")),
    (r"(?<=[A-Za-z])-(?=\d)|(?<=\d)-(?=[A-Za-z])", _is(" ")),  # COVID-19, a 10-foot pole
    (rf"\b({_PARTS_OF_BOOKS}) ([IVXLC]{{1,9}})\b", _roman),
)
WORDS: tuple[Rule, ...] = (
    (r"\bDr\.(?= [A-Z])", _is("Doctor")),
    (r"\bSt\.(?= [A-Z])", _is("Saint")),
    (r"\bDr\.", _is("Drive")),
    (r"\bSt\.", _is("Street")),
    (rf"\b({'|'.join(map(re.escape, _WORDS))})\.(\s*$)?", _abbreviation),
    (r"\b(?:[A-Za-z]\.){2,}", _initials),
    (r"\b[A-Z]{2,5}s?\b", _capitals),
    (rf"[{re.escape(''.join(_SIGNS))}]", lambda match: f" {_SIGNS[match[0]]} "),
)
