"""Dates and times of day. Days are ordinals whether or not they are written so."""

import re

from alrakis.text.english.ends import end_after
from alrakis.text.english.numbers import ORDINAL, YEAR, Rule, digits, ordinal, words, year

# fmt: off
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# fmt: on
_SHORT_MONTHS = {month[:3]: month for month in MONTHS if month != "May"} | {"Sept": "September"}
_SHORT_DAYS = {day[:3]: day for day in DAYS} | {"Tues": "Tuesday", "Thur": "Thursday", "Thurs": "Thursday"}
SHORT_NAMES = _SHORT_MONTHS | _SHORT_DAYS
_IN_CAPITALS = {name.upper(): full for name, full in (SHORT_NAMES | {full: full for full in MONTHS}).items()}
_SHORT_MONTH = "|".join([*_SHORT_MONTHS, *map(str.upper, _SHORT_MONTHS)])
MONTH = rf"(?:{'|'.join([*MONTHS, *map(str.upper, MONTHS)])}|(?:{_SHORT_MONTH})\b\.?)"
_SHORT_DAY = "|".join(sorted(_SHORT_DAYS, key=len, reverse=True))
# What stands before a day instead of a "the" of our own.
_ARTICLE = (
    r"(?:\b([Tt]he|THE|[Tt]his|[Tt]hat|[Ee]very|[Ee]ach|[Aa]n?|[Nn]ext|[Ll]ast|[Mm]y|[Yy]our|[Oo]ur) )?"
)
_BOOKS = (  # of the Bible, before chapter and verse
    "Genesis|Exodus|Leviticus|Numbers|Deuteronomy|Joshua|Judges|Samuel|Kings|Job|Psalms?|Proverbs|Ecclesiastes|"
    "Isaiah|Jeremiah|Ezekiel|Daniel|Matthew|Mark|Luke|John|Acts|Romans|Corinthians|Galatians|Ephesians|Hebrews|"
    "James|Peter|Revelation"
)
_YEAR = r"(?:1\d\d\d|20\d\d)"  # where it can be nothing else
_DAY = rf"(\d{{1,2}})({ORDINAL})?"
_HALF = r"([apAP])\.?[mM]\b\.?"


def full_name(name: str) -> str:
    """A month or a day of the week, in full."""
    name = name.rstrip(".")
    return SHORT_NAMES.get(name) or _IN_CAPITALS.get(name, name)


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
    return said + (f", {year(its_year)}" if its_year else end_after(match))


def _iso_date(match: re.Match[str]) -> str:
    its_year, _, month, day, time_follows = match.groups()
    said = _dated(month, day, its_year)
    return said + (", " if time_follows else "") if said else match[0]


def _numbers_date(match: re.Match[str]) -> str:
    """Month, day and year, as in America, unless only the day can be first; with periods the day is first."""
    first, sign, second, its_year = match.groups()
    month, day = (second, first) if sign == "." else (first, second)
    return _dated(month, day, its_year) or _dated(day, month, its_year) or match[0]


def _named_date(match: re.Match[str]) -> str:
    """09-Jan-2025, Jan-09-2025, 9-Jan-25."""
    day, month = (match["first"], match["month"]) if match["first"] else (match["second"], match["name"])
    if not _is_day(day):
        return match[0]
    its_year = match["year"]
    said = year(its_year) if len(its_year) == 4 else words(its_year)
    return f"{full_name(month)} {ordinal(day)}, {said}"


def _year_of_two(match: re.Match[str]) -> str:
    """'69, '05."""
    return f"{'oh ' if match[1][0] == '0' else ''}{words(str(int(match[1])))}"


def _dated(month: str, day: str, its_year: str) -> str | None:
    if not (1 <= int(month) <= 12 and _is_day(day)):
        return None
    return f"{MONTHS[int(month) - 1]} {ordinal(day)}, {year(its_year)}"


def _month_alone(match: re.Match[str]) -> str:
    return full_name(match[1]) + end_after(match)


def _time(match: re.Match[str]) -> str:
    hour, minute, second, part, half = match.groups()
    if int(hour) > 24 or int(minute) > 59:
        return match[0].replace(":", " to ")  # a score
    second = None if second == "00" and not part else second
    if hour == "00" and minute == "00" and not second:
        return "midnight"
    if int(minute) or second:
        said = f"{words(str(int(hour)))} {_minutes(minute)}{f' {_minutes(second)}' if second else ''}"
        said += f" point {digits(part)}" if part else ""
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
    return (" ay em" if half in "aA" else " pee em") + end_after(match)


def _decade(match: re.Match[str]) -> str:
    tens = words(f"{match[2]}0")
    return f"{words(match[1])} {tens[:-1]}ies" if int(match[2]) > 1 else f"{year(match[0][:4])}s"


WRITTEN_IN_NUMBERS: tuple[Rule, ...] = (
    (rf"(?<![\w/-])({YEAR})([-/])(\d{{1,2}})\2(\d{{1,2}})(T(?=\d)| (?=\d\d?:\d)|(?![\w/-]))", _iso_date),
    (rf"(?<![\w/])(\d{{1,2}})(/)(\d{{1,2}})/({YEAR})(?![\w/])", _numbers_date),
    (rf"(?<![\w-])(\d{{1,2}})(-)(\d{{1,2}})-({YEAR})(?![\w-])", _numbers_date),
    (rf"(?<![\w.])(\d{{1,2}})(\.)(\d{{1,2}})\.({YEAR})(?!\w|\.\d)", _numbers_date),
    (
        rf"(?<![\w-])(?:(?P<first>\d{{1,2}})-(?P<month>{MONTH})|(?P<name>{MONTH})-(?P<second>\d{{1,2}}))"
        rf"-(?P<year>{YEAR}|\d\d)(?![\w-])",
        _named_date,
    ),
)
DATES: tuple[Rule, ...] = (
    (
        rf"{_ARTICLE}(?<![\d:.,$-])\b{_DAY} (and|or) (?=\d{{1,2}}{ORDINAL}? (?:of )?{MONTH})",
        lambda match: f"{match[1] or 'the'} {ordinal(match[2])} {match[4]} ",
    ),
    (
        rf"\b({MONTH}) {_DAY}(?: to {_DAY})?(?![\d:%]|,\d|\.\d)(?:,? ({_YEAR})\b)?",
        _month_day,
    ),
    (
        rf"{_ARTICLE}(?<![\d:.,$-])\b{_DAY}(?: to (?:the )?{_DAY})? (of )?({MONTH})(?![a-z])"
        rf"(?:,? ({_YEAR})\b)?",
        _day_month,
    ),
    (rf"\b({_SHORT_MONTH})\.?,? (?={YEAR}\b)", lambda match: f"{full_name(match[1])} "),
    (rf"\b({_SHORT_MONTH})\.(?=[\s,;:!?)]|$)", _month_alone),
    (r"\b(Mon|Tues?|Wed|Thu(?:rs?)?|Fri)\.", lambda match: full_name(match[1]) + end_after(match)),
    (r"\b(Sat|Sun)\.(?=,? (?:[a-z]|\d))", lambda match: full_name(match[1])),
    (
        rf"\b({_SHORT_DAY})\.?(?=,? (?:the )?(?:[a-z-]{{3,20}} of )?{MONTH})",
        lambda match: full_name(match[1]),
    ),
)
TIMES: tuple[Rule, ...] = (
    (r"(?<=:\d\d) ?(?:hrs?|h)\b\.?", lambda match: " hours"),
    (rf"\b((?:{_BOOKS}) \d{{1,3}}):(?=\d)", lambda match: f"{match[1]} "),
    (r"(?<=:\d\d)Z\b", lambda match: " you tee see"),
    (r"\b(\d{1,2})\.([0-5]\d)(?= ?[apAP]\.?[mM]\b)", lambda match: f"{match[1]}:{match[2]}"),
    (rf"\b(\d{{1,2}}):(\d\d)(?::([0-5]\d))?(?:\.(\d{{1,3}}))?(?![\d:])(?: ?{_HALF})?", _time),
    (rf"\b(\d{{1,2}}) ?{_HALF}(?!\w)", _full_hour),
)
_LASTING = "for|after|within|every|takes|took|wait|waited|lasts|lasted"
DECADES: tuple[Rule, ...] = (
    (rf"\b({_LASTING}) ([2-9]0)s\b", lambda match: f"{match[1]} {words(match[2])} seconds"),
    (
        r"(?<=\b[Ii]n )10[1-9]\d(?=[.,;:)]|$| (?:the|when|he|she|it|they|William|AD|CE)\b)",
        lambda m: year(m[0]),
    ),
    (r"\b(1[1-9]|20)(\d)0'?s\b", _decade),
    (r"(?<!\w)'?([2-9]0)'?s\b", lambda match: f"{words(match[1])[:-1]}ies"),
    (r"(?<![\w'])'(\d\d)(?![\w'])", _year_of_two),
)
