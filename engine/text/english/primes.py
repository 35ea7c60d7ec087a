"""Prime marks and the quotes in their place: feet and inches, minutes and seconds."""

import re

from alrakis.text.english.numbers import Rule

_FOOT = "['’′]"
_INCH = "(?:[\"”″]|''|’’)"
_PART = "[¼½¾⅛⅜⅝⅞]"
_OVER = r"\d{1,2}/\d{1,2}"
_NUMBER = rf"(?<![\d/])(?:{_OVER}|\d{{1,3}})(?:\.\d{{1,3}}| ?{_PART}| ?{_OVER})?|{_PART}"
_QUOTE = re.compile(rf'({_NUMBER})?"')
_ONE = re.compile(rf"1|{_PART}|{_OVER}")


def _feet(match: re.Match[str]) -> str:
    first, second = match.groups()
    return f"{first} ft {second} in" if float(second) <= 12 else f"{first} min {second} s"


def _degrees(match: re.Match[str]) -> str:
    seconds = f" {match[3]} seconds" if match[3] else ""
    return f"{match[1]} degrees {match[2]} minutes{seconds}"


PRIMES: tuple[Rule, ...] = (  # before quotes are put aside
    (rf"(\d{{1,3}}) ?° ?(\d{{1,2}}) ?{_FOOT}(?: ?(\d{{1,2}}(?:\.\d{{1,4}})?) ?{_INCH})?", _degrees),
    (rf"(?<![\w.])(\d{{1,3}}){_FOOT} ?(\d{{1,2}}(?:\.\d{{1,4}})?){_INCH}", _feet),
    (rf"(?<![\w.])([3-8]){_FOOT}(\d|1[01])(?![\w'’])", lambda match: f"{match[1]} foot {match[2]}"),
    (
        rf"(?<![\w.])(\d{{1,3}}){_FOOT} ?[-–] ?(\d{{1,3}}){_FOOT}",
        lambda match: f"{match[1]} to {match[2]} ft",
    ),
    (rf"(?<![\w.])(\d{{1,3}}){_FOOT} ?[x×] ?(\d{{1,3}}){_FOOT}", lambda m: f"{m[1]} by {m[2]} ft"),
    (r"(?<=\d)″", lambda match: " in"),
    (r"(?<=\d)′", lambda match: " ft"),
    (r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))", lambda match: ""),  # 10 000
    (r"\b([A-Za-z])–([A-Za-z])\b", lambda match: f"{match[1]} to {match[2]}"),  # A–C
)


def inch_marks(text: str) -> str:
    """The text with inches in place of straight quotes that follow a number and close no quotation."""
    inside = False

    def said(match: re.Match[str]) -> str:
        nonlocal inside
        if inside or match[1] is None:
            inside = not inside
            return match[0]
        behind = match.string[match.end() : match.end() + 2]
        if re.match(" [a-wyz]", behind):  # 12" ruler
            return f"{match[1]}-inch"
        return f"{match[1]} {'inch' if _ONE.fullmatch(match[1]) else 'inches'}"

    return _QUOTE.sub(said, text)
