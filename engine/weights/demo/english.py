"""Writing numbers, dates, times, money and abbreviations of an English text in words.

The demo voice knows only letters. What has no rule here is left unchanged.
"""

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import inflect

_MAX_DIGITS = 15  # a longer number is read digit by digit

# fmt: off
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)
# fmt: on
_SHORT_MONTHS = {month[:3]: month for month in _MONTHS} | {"Sept": "September"}
_MONTH = "|".join([*_MONTHS, *(rf"{short}\b\.?" for short in _SHORT_MONTHS if short != "May")])

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
_UNITS = {  # after a number: singular, plural
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "km": ("kilometer", "kilometers"),
    "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "ft": ("foot", "feet"),
    "mi": ("mile", "miles"),
    "l": ("liter", "liters"),
    "ml": ("milliliter", "milliliters"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "s": ("second", "seconds"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "GB": ("gigabyte", "gigabytes"),
    "MB": ("megabyte", "megabytes"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "%": ("percent", "percent"),
}
_COINS = {
    "$": (("dollar", "dollars"), ("cent", "cents")),
    "€": (("euro", "euros"), ("cent", "cents")),
    "£": (("pound", "pounds"), ("penny", "pence")),
    "¥": (("yen", "yen"), ("sen", "sen")),
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
_FRACTIONS = {
    "1/2": "one half",
    "1/3": "one third",
    "2/3": "two thirds",
    "1/4": "one quarter",
    "3/4": "three quarters",
}
# fmt: off
_LETTERS = (
    "ay", "bee", "see", "dee", "ee", "eff", "gee", "aitch", "eye", "jay", "kay", "ell", "em", "en",
    "oh", "pee", "cue", "ar", "ess", "tee", "you", "vee", "double-you", "ex", "why", "zee",
)
# fmt: on

_NUMBER = r"\d+(?:,\d{3}){1,9}(?:\.\d+)?|\d+(?:\.\d+)?"
_YEAR = r"1[1-9]\d\d|20\d\d"
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_SCALE = r"hundred|thousand|million|billion|trillion"
_HALF = r"([ap])\.?m\b\.?"
_MARKS = str.maketrans(
    {"’": "'", "‘": "'", "“": " ", "”": " ", '"': " ", "—": ", ", "–": "-", "…": ".", "−": "-"}
)

Rule = tuple[str, Callable[[re.Match[str]], str]]


def say_in_words(text: str) -> str:
    """The text with numbers and abbreviations in words and white space normalised."""
    text = re.sub(r"(?<!\s)\s+-+\s+", ", ", text.translate(_MARKS))
    for pattern, said in _compiled():
        text = pattern.sub(said, text)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r"\s+(?=[,.!?;:])|,(?=\s*[,.])|(?<=[.!?;:]),", "", text).strip()


@functools.cache
def _compiled() -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]:
    return [(re.compile(pattern, re.ASCII), said) for pattern, said in (*_NUMBER_RULES, *_WORD_RULES)]


@functools.cache
def _inflect() -> "inflect.engine":
    import inflect  # takes a quarter of a second, and only texts with digits need it

    return inflect.engine()


@functools.lru_cache(1024)  # inflect takes 0.1 ms a number
def _words(number: str) -> str:
    """`1,250`, `2.5`, `007` or `21st` in words."""
    number = number.replace(",", "")
    whole = re.split(r"[.a-z]", number)[0]
    if len(whole) > _MAX_DIGITS or (len(whole) > 1 and whole[0] == "0"):
        return _digits(number)
    return str(_inflect().number_to_words(number))


def _digits(number: str) -> str:
    names = ("point" if char == "." else _words(char) for char in number if char.isdigit() or char == ".")
    return " ".join(names)


def _ordinal(number: str) -> str:
    if len(number) > _MAX_DIGITS:
        return f"{_digits(number)}th"
    return _words(f"{int(number)}th")


def _year(number: str) -> str:
    century, rest = int(number[:2]), int(number[2:])
    if century == 20 and rest < 10:
        return _words(number)
    if not rest:
        return f"{_words(number[:2])} hundred"
    return f"{_words(number[:2])} {'oh ' if rest < 10 else ''}{_words(str(rest))}"


def _month(name: str) -> str:
    name = name.rstrip(".")
    return _SHORT_MONTHS.get(name, name)


def _month_day(match: re.Match[str]) -> str:
    month, day, year = match.groups()
    if not 1 <= int(day) <= 31:
        return match[0]
    return f"{_month(month)} {_ordinal(day)}" + (f", {_year(year)}" if year else "")


def _day_month(match: re.Match[str]) -> str:
    day, month, year = match.groups()
    if not 1 <= int(day) <= 31:
        return match[0]
    return f"the {_ordinal(day)} of {_month(month)}" + (f", {_year(year)}" if year else "")


def _iso_date(match: re.Match[str]) -> str:
    year, month, day = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match[0]
    return f"{_MONTHS[int(month) - 1]} {_ordinal(day)}, {_year(year)}"


def _time(match: re.Match[str]) -> str:
    hour, minute, half = match.groups()
    if int(hour) > 24 or int(minute) > 59:
        return match[0].replace(":", " to ")  # a score
    if int(minute):
        said = f"{_words(str(int(hour)))} {'oh ' if minute[0] == '0' else ''}{_words(str(int(minute)))}"
    else:
        said = _words(str(int(hour))) + ("" if half else " o'clock" if int(hour) <= 12 else " hundred")
    return said + _half_of_day(half, match)


def _full_hour(match: re.Match[str]) -> str:
    return _words(match[1]) + _half_of_day(match[2], match)


def _half_of_day(half: str | None, match: re.Match[str]) -> str:
    if half is None:
        return ""
    ends = match.end() == len(match.string) and match[0].endswith(".")
    return (" ay em" if half in "aA" else " pee em") + ("." if ends else "")


def _money(match: re.Match[str]) -> str:
    sign, number, scale = match.groups()
    coins, parts = _COINS[sign]
    whole, _, part = number.replace(",", "").partition(".")
    if scale or (part and len(part) != 2):
        return f"{_words(number)} {f'{scale} ' if scale else ''}{coins[1]}"
    amount = whole.lstrip("0")  # not as an int: it may have thousands of digits
    said = [f"{_words(whole)} {coins[amount != '1']}"] if amount or not part else []
    if part and (int(part) or not said):
        said.append(f"{_words(str(int(part)))} {parts[int(part) != 1]}")
    return " and ".join(said)


def _telephone(match: re.Match[str]) -> str:
    return ", ".join(_digits(group) for group in match[0].split("-"))


def _decade(match: re.Match[str]) -> str:
    tens = _words(f"{match[2]}0")
    return f"{_words(match[1])} {tens[:-1]}ies" if int(match[2]) > 1 else f"{_year(match[0][:4])}s"


def _fraction(match: re.Match[str]) -> str:
    return _FRACTIONS.get(match[0], match[0])


def _quantity(match: re.Match[str]) -> str:
    minus, number, unit = match.groups()
    return f"{'minus ' if minus else ''}{_words(number)} {_UNITS[unit][number != '1']}"


def _abbreviation(match: re.Match[str]) -> str:
    said = _WORDS[match[1]]
    return f"{said.capitalize() if match[1][0].isupper() else said}{'.' if match[2] is not None else ''}"


def _spelled(text: str) -> str:
    names = [_LETTERS[ord(char.lower()) - ord("a")] for char in text if char.isalpha()]
    return " ".join(names)


def _initials(match: re.Match[str]) -> str:
    return _spelled(match[0]) + ("." if match.end() == len(match.string) else "")


def _capitals(match: re.Match[str]) -> str:
    """Letter by letter if it has at most three letters or no vowel, and is not in `_SHOUTED`."""
    letters = match[0].removesuffix("s")
    if letters in _SHOUTED or (len(letters) > 3 and re.search("[AEIOUY]", letters)):
        return match[0]
    return _spelled(letters) + ("s" if match[0].endswith("s") else "")


def _is(said: str) -> Callable[[re.Match[str]], str]:
    return lambda match: said


_NUMBER_RULES: tuple[Rule, ...] = (
    (rf"\b({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?(?![\d:%])(?:,? ({_YEAR})\b)?", _month_day),
    (rf"(?:\bthe )?\b(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({_MONTH})(?![a-z])(?:,? ({_YEAR})\b)?", _day_month),
    (rf"\b({_YEAR})-(\d\d)-(\d\d)\b", _iso_date),
    (rf"\b(\d{{1,2}}):(\d\d)(?![\d:])(?: ?{_HALF})?", _time),
    (rf"\b(\d{{1,2}}) ?{_HALF}(?!\w)", _full_hour),
    (rf"([$€£¥]) ?({_NUMBER})(?: ({_SCALE})\b)?", _money),
    (r"\b\d{3}-\d{3,4}(?:-\d{4})?\b", _telephone),
    (r"\b(1[1-9]|20)(\d)0'?s\b", _decade),
    (r"(?<![\w/])(?:1/[234]|[23]/[34])(?![\d/])", _fraction),
    (r"(?<!\w)'?([2-9]0)'?s\b", lambda match: f"{_words(match[1])[:-1]}ies"),
    (
        rf"(?<![\w.])(-?)({_NUMBER}) ?({_UNIT})(?!\w)",
        _quantity,
    ),
    (r"\b\d+(?:\.\d+){2,}\b", lambda match: " point ".join(map(_words, match[0].split(".")))),
    (r"\b(\d+)(?:st|nd|rd|th)\b", lambda match: _ordinal(match[1])),
    (r"\b[Nn]o\. ?(?=\d)", _is("number ")),
    (rf"(?<![\d,.-])(?:{_YEAR})(?![\d,%-]|\.\d)", lambda match: f" {_year(match[0])} "),
    (r"(?<=\d)-(?=\d)", _is(" to ")),
    (r"(?<![\w-])-(?=\d)", _is("minus ")),
    (_NUMBER, lambda match: f" {_words(match[0])} "),
)
_WORD_RULES: tuple[Rule, ...] = (
    (r"\bDr\.(?= [A-Z])", _is("Doctor")),
    (r"\bSt\.(?= [A-Z])", _is("Saint")),
    (r"\bDr\.", _is("Drive")),
    (r"\bSt\.", _is("Street")),
    (rf"\b({'|'.join(map(re.escape, _WORDS))})\.(\s*$)?", _abbreviation),
    (r"\b(?:[A-Za-z]\.){2,}", _initials),
    (r"\b[A-Z]{2,5}s?\b", _capitals),
    (rf"[{re.escape(''.join(_SIGNS))}]", lambda match: f" {_SIGNS[match[0]]} "),
)
