"""Dates and times of day. Days are ordinals whether or not they are written so."""

import re

from alrakis.text.english.numbers import ORDINAL, YEAR, Rule, ordinal, words, year

# fmt: off
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# fmt: on
_SHORT_MONTHS = {month[:3]: month for month in MONTHS if month != "May"} | {"Sept": "September"}
_SHORT_DAYS = {day[:3]: day for day in _DAYS} | {"Tues": "Tuesday", "Thur": "Thursday", "Thurs": "Thursday"}
SHORT_NAMES = _SHORT_MONTHS | _SHORT_DAYS
MONTH = "(?:" + "|".join([*MONTHS, *(rf"{short}\b\.?" for short in _SHORT_MONTHS)]) + ")"
_SHORT_MONTH = "|".join(_SHORT_MONTHS)
_SHORT_DAY = "|".join(sorted(_SHORT_DAYS, key=len, reverse=True))
# What stands before a day instead of a "the" of our own.
_ARTICLE = (
    r"(?:\b([Tt]he|THE|[Tt]his|[Tt]hat|[Ee]very|[Ee]ach|[Aa]n?|[Nn]ext|[Ll]ast|[Mm]y|[Yy]our|[Oo]ur) )?"
)
_DAY = rf"(\d{{1,2}})({ORDINAL})?"
_HALF = r"([apAP])\.?[mM]\b\.?"


def full_name(name: str) -> str:
    """A month or a day of the week, in full."""
    name = name.rstrip(".")
    return SHORT_NAMES.get(name, name)


def _is_day(*days: str | None) -> bool:
    return all(day is None or 1 <= int(day) <= 31 for day in days)


def _month_day(match: re.Match[str]) -> str:
    month, day, _, last, _, its_year = match.groups()
    if not _is_day(day, last):
        return match[0]
    until = f" to {ordinal(last)}" if last else ""
    return f"{full_name(month)} {ordinal(day)}{until}" + (f", {year(its_year)}" if its_year else "")


def _day_month(match: re.Match[str]) -> str:
    article, day, written, last, _, of, month, its_year = match.groups()
    if not _is_day(day, last):
        return match[0]
    if article is None and not (written and of):  # "on the sunny 2nd of May" has its article
        article = "the"
    until = f" to the {ordinal(last)}" if last else ""
    said = f"{f'{article} ' if article else ''}{ordinal(day)}{until} of {full_name(month)}"
    return said + (f", {year(its_year)}" if its_year else _end_after(match))


def _iso_date(match: re.Match[str]) -> str:
    its_year, month, day = match.groups()
    return _dated(month, day, its_year) or match[0]


def _numbers_date(match: re.Match[str]) -> str:
    """Month, day and year, as in America, unless only the day can be first."""
    first, second, its_year = match.groups()
    return _dated(first, second, its_year) or _dated(second, first, its_year) or match[0]


def _dated(month: str, day: str, its_year: str) -> str | None:
    if not (1 <= int(month) <= 12 and _is_day(day)):
        return None
    return f"{MONTHS[int(month) - 1]} {ordinal(day)}, {year(its_year)}"


def _month_alone(match: re.Match[str]) -> str:
    return full_name(match[1]) + _end_after(match)


def _end_after(match: re.Match[str]) -> str:
    """The period of a short month ends the sentence as well where nothing or a capital follows."""
    ends = re.match(r"\s*$|\s+[A-Z]", match.string[match.end() :][:40])
    return "." if ends and match[0].endswith(".") else ""


def _time(match: re.Match[str]) -> str:
    hour, minute, second, half = match.groups()
    if int(hour) > 24 or int(minute) > 59:
        return match[0].replace(":", " to ")  # a score
    if int(minute) or second:
        said = f"{words(str(int(hour)))} {_minutes(minute)}{f' {_minutes(second)}' if second else ''}"
    else:
        said = words(str(int(hour))) + ("" if half else " o'clock" if int(hour) <= 12 else " hundred")
    return said + _half_of_day(half, match)


def _minutes(number: str) -> str:
    return f"{'oh ' if number[0] == '0' and number != '00' else ''}{words(str(int(number)))}"


def _full_hour(match: re.Match[str]) -> str:
    return words(match[1]) + _half_of_day(match[2], match)


def _half_of_day(half: str | None, match: re.Match[str]) -> str:
    if half is None:
        return ""
    ends = match.end() == len(match.string) and match[0].endswith(".")
    return (" ay em" if half in "aA" else " pee em") + ("." if ends else "")


def _decade(match: re.Match[str]) -> str:
    tens = words(f"{match[2]}0")
    return f"{words(match[1])} {tens[:-1]}ies" if int(match[2]) > 1 else f"{year(match[0][:4])}s"


WRITTEN_IN_NUMBERS: tuple[Rule, ...] = (
    (rf"(?<![\w-])({YEAR})-(\d\d)-(\d\d)(?![\w-])", _iso_date),
    (rf"(?<![\w/])(\d{{1,2}})/(\d{{1,2}})/({YEAR})(?![\w/])", _numbers_date),
    (rf"(?<![\w-])(\d{{1,2}})-(\d{{1,2}})-({YEAR})(?![\w-])", _numbers_date),
    (rf"(?<![\w.])(\d{{1,2}})\.(\d{{1,2}})\.({YEAR})(?!\w|\.\d)", _numbers_date),
)
DATES: tuple[Rule, ...] = (
    (
        rf"\b({MONTH}) {_DAY}(?: to {_DAY})?(?![\d:%]|,\d|\.\d)(?:,? ({YEAR})\b)?",
        _month_day,
    ),
    (
        rf"{_ARTICLE}(?<![\d:.,$-])\b{_DAY}(?: to (?:the )?{_DAY})? (of )?({MONTH})(?![a-z])"
        rf"(?:,? ({YEAR})\b)?",
        _day_month,
    ),
    (rf"\b({_SHORT_MONTH})\.?,? (?={YEAR}\b)", lambda match: f"{full_name(match[1])} "),
    (rf"\b({_SHORT_MONTH})\.(?=[\s,;:!?)]|$)", _month_alone),
    (rf"\b({_SHORT_DAY})\.(?=,? (?:{MONTH}|the |\d))", lambda match: full_name(match[1])),
    (rf"\b({_SHORT_DAY})(?=,? {MONTH})", lambda match: full_name(match[1])),
)
TIMES: tuple[Rule, ...] = (
    (rf"\b(\d{{1,2}}):(\d\d)(?::([0-5]\d))?(?![\d:])(?: ?{_HALF})?", _time),
    (rf"\b(\d{{1,2}}) ?{_HALF}(?!\w)", _full_hour),
)
DECADES: tuple[Rule, ...] = (
    (r"\b(1[1-9]|20)(\d)0'?s\b", _decade),
    (r"(?<!\w)'?([2-9]0)'?s\b", lambda match: f"{words(match[1])[:-1]}ies"),
)
