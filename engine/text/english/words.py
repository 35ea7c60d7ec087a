"""Abbreviations, initials, words in capitals, and signs."""

import re
from collections.abc import Callable

from alrakis.text.english.ends import BEGINS, end_after
from alrakis.text.english.numbers import Rule

_TITLES = {  # before a name, with a period or without
    "Mr": "mister",
    "Mrs": "missus",
    "Ms": "miz",
    "Messrs": "messers",
    "Mme": "madame",
    "Prof": "professor",
    "Gen": "general",
    "Col": "colonel",
    "Maj": "major",
    "Capt": "captain",
    "Sgt": "sergeant",
    "Cpl": "corporal",
    "Lt": "lieutenant",
    "Cmdr": "commander",
    "Adm": "admiral",
    "Rev": "reverend",
    "Hon": "honorable",
    "Sen": "senator",
    "Rep": "representative",
    "Gov": "governor",
    "Pres": "president",
    "Det": "detective",
    "Supt": "superintendent",
    "Fr": "father",
    "Mt": "mount",
    "Ft": "fort",
    "Pt": "point",
}
_WORDS = {  # abbreviations that have a period
    "Mr": "mister",
    "Mrs": "missus",
    "Ms": "miz",
    "Jr": "junior",
    "Sr": "senior",
    "Esq": "esquire",
    "Inc": "incorporated",
    "Ltd": "limited",
    "Co": "company",
    "Corp": "corporation",
    "Bros": "brothers",
    "Dept": "department",
    "dept": "department",
    "govt": "government",
    "Univ": "university",
    "Ave": "avenue",
    "Rd": "road",
    "Ln": "lane",
    "Blvd": "boulevard",
    "Hwy": "highway",
    "vs": "versus",
    "etc": "et cetera",
    "approx": "approximately",
    "avg": "average",
    "max": "maximum",
    "min": "minimum",
    "misc": "miscellaneous",
    "incl": "including",
    "viz": "namely",
    "cf": "compare",
    "est": "established",
    "tel": "telephone",
    "Est": "established",
    "E.g": "for example",
    "I.e": "that is",
    "e.g": "for example",
    "i.e": "that is",
    "Vol": "volume",
    "vol": "volume",
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
    "Chap": "Chapter",
    "chap": "chapter",
    "fig": "figure",
    "Fig": "Figure",
    "figs": "figures",
    "Figs": "Figures",
    "ext": "extension",
    "Ext": "extension",
    "para": "paragraph",
    "art": "article",
    "Art": "Article",
    "Rt": "Route",
    "Rte": "Route",
    "Ste": "Suite",
    "Fl": "Floor",
    "Gen": "Genesis",
    "Rev": "Revelation",
    "Ps": "Psalm",
    "sc": "scene",
    "eq": "equation",
    "Eq": "Equation",
    "sec": "section",
    "Sec": "Section",
    "vol": "volume",
    "Vol": "Volume",
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
    "ACT", "ADD", "AGE", "AGO", "AIM", "AIR", "ARM", "ART", "ASK", "ATE", "BAD", "BAG", "BED", "BIT", "BOX",
    "BOY", "BUY", "CAR", "CAT", "CRY", "CUT", "DAD", "DID", "DIE", "DOG", "EAR", "EAT", "EGG", "END", "EVER",
    "EYE", "FAR", "FEW", "FIT", "FLY", "FUN", "GOD", "GUN", "GUY", "HAT", "HIT", "HOT", "ICE", "ILL", "JOB",
    "JOY", "KEY", "KID", "LAW", "LAY", "LEG", "LIE", "LOT", "LOW", "MAD", "MEN", "MET", "MIX", "MOM", "MUM",
    "NOR", "ODD", "OIL", "OWN", "PAY", "PEN", "POP", "RAN", "RAW", "RED", "ROW", "SAD", "SAT", "SEA", "SIR",
    "SIT", "SIX", "SKY", "SON", "SUN", "TEA", "TEN", "TIE", "TOP", "TRY", "WAR", "WET", "WIN", "WON", "YET",
}
# fmt: on
# fmt: off
_LETTERS = (
    "ay", "bee", "see", "dee", "ee", "eff", "gee", "aitch", "eye", "jay", "kay", "ell", "em", "en",
    "oh", "pee", "cue", "ar", "ess", "tee", "you", "vee", "double-you", "ex", "why", "zee",
)
# fmt: on


_SHOUT = "[A-Z]*[AEIOUY][A-Z]*"
_SHOUT_BEFORE = re.compile(rf"\b{_SHOUT} $")
_SHOUT_AFTER = re.compile(rf" {_SHOUT}\b")


def _abbreviation(match: re.Match[str]) -> str:
    said = _WORDS[match[1]]
    return f"{said.capitalize() if match[1][0].isupper() else said}{end_after(match)}"


def _title(match: re.Match[str]) -> str:
    return _TITLES[match[1]].capitalize()


def _street(match: re.Match[str]) -> str:
    """`Main St. She`, beside `in St. Paul`."""
    name = {"St": "Street", "Dr": "Drive"}[match[1]]
    return f"{name}{end_after(match)}"


def spelled(text: str) -> str:
    """Letters by their names."""
    names = [_LETTERS[ord(char.lower()) - ord("a")] for char in text if char.isascii() and char.isalpha()]
    return " ".join(names)


def _initials(match: re.Match[str]) -> str:
    return spelled(match[0]) + end_after(match)


def _shouted(match: re.Match[str]) -> bool:
    """Whether a word stands beside another in capitals, as in titles: THE CAT."""
    before = match.string[max(0, match.start() - 20) : match.start()]
    after = match.string[match.end() : match.end() + 20]
    return bool(_SHOUT_BEFORE.search(before) or _SHOUT_AFTER.match(after))


def _capitals(match: re.Match[str]) -> str:
    """Letter by letter if it has at most three letters or no vowel, and is not in `_SHOUTED`."""
    letters = match[0].removesuffix("s")
    speaks = re.search("[AEIOUY]", letters)
    if letters in _SHOUTED or (len(letters) > 3 and speaks):
        return match[0]
    if speaks and len(letters) > 2 and _shouted(match):
        return match[0]
    return spelled(letters) + ("s" if match[0].endswith("s") else "")


def _is(said: str) -> Callable[[re.Match[str]], str]:
    return lambda match: said


NUMBERED: tuple[Rule, ...] = (
    (rf"\b({'|'.join(_NUMBERED)})\. ?(?=\(?\d)", lambda match: f"{_NUMBERED[match[1]]} "),
    (r"\b([Vv]ol|[Cc]h|Art|Sec)\. (?=[IVXLC]{1,6}\b(?! [a-z]))", lambda match: f"{_NUMBERED[match[1]]} "),
    (r"\bca?\. ?(?=\d{3,4}\b)", _is("circa ")),
    (r"(?<!\w)#(?=\d)", _is("number ")),
    (r"(?<!\w)#(?=[A-Za-z])", _is("hashtag ")),
    (r"(?<=[A-Za-z])-(?=\d)|(?<=\d)-(?=[A-Za-z])", _is(" ")),  # COVID-19, a 10-foot pole
)
WORDS: tuple[Rule, ...] = (
    (
        rf"(?<=[a-z] )(?<! and )(?<! or )(?<! of )(?<! in )(?<! by )(St|Dr)\.(?= (?!Who|No)(?:{BEGINS})\b)",
        _street,
    ),
    (r"\bDr\.?(?= [A-Z])", _is("Doctor")),
    (r"\bSt\.?(?= [A-Z])", _is("Saint")),
    (r"\b(Dr|St)\.", _street),
    (r"(?<=[a-z] )(St)(?=[,;)]|$)", _street),
    (rf"\b({'|'.join(_TITLES)})\.(?= [A-Z])", _title),
    (r"\b(Mr|Mrs|Ms|Mme|Messrs|Prof|Capt|Sgt|Lt|Mt)(?= [A-Z])", _title),
    (r"\bw/o\b", _is("without")),
    (r"\bw/(?=[ \w])", _is("with ")),
    (rf"\b({'|'.join(map(re.escape, _WORDS))})\.", _abbreviation),
    (r"\b(?:Ph\.D|[MB]\.Sc|[DM]\.Phil|[BM]\.Ed)\.", _initials),
    (r"\b(?:[A-Za-z]\.){2,}", _initials),
    (r"\b[A-Z]{2,5}s?\b", _capitals),
    (rf"[{re.escape(''.join(_SIGNS))}]", lambda match: f" {_SIGNS[match[0]]} "),
)
