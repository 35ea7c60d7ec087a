"""Versions: numbers between points, each in full, with what releases are called."""

import re

from alrakis.text.english.addresses import say_address
from alrakis.text.english.numbers import Rule, points

# Before numbers whose parts are read one by one: 3.10 is not 3.1.
_SOFTWARE = (
    "Python|Java|Node|Ruby|PHP|Perl|Rust|Go|Swift|Kotlin|Django|Rails|Ubuntu|Debian|Fedora|Linux|Android|"
    "Windows|iOS|macOS|Unicode|Chrome|Firefox|Safari|PostgreSQL|MySQL|SQLite|CUDA|OpenSSL|OpenGL|TLS|USB|HTTP|"
    "[Kk]ernel|[Rr]elease|[Bb]uild|[Ff]irmware|[Pp]atch|python|java|node|ruby|php|perl|django|rails|ubuntu|debian"
)
_PARTS = "[Ff]igure|[Tt]able|[Ss]ection|[Cc]hapter|[Ee]xercise|[Ee]xample|[Ll]isting|[Tt]heorem|[Ll]emma"
_SUFFIX = (
    r"((?:-[a-z]{1,12}(?:\.?\d{1,6})?|\.(?:dev|post|rc|alpha|beta)\d{0,6}"
    r"|[a-z]{1,4}\d{1,4}|[a-z](?![\w'])|\.[xX]\b)?)"
)
_NUMBERS = r"\d+(?:\.\d+)*"
_END = r"(?![\w:/]|\.\d)"


def _version(match: re.Match[str]) -> str:
    name, number, suffix = match.groups()
    called = (
        "version" if name and name[0] in "vV" and not name.lower().startswith("version") else name.strip()
    )
    further = suffix.replace(".x", " point x").replace(".X", " point x")
    further = " ".join(re.sub(r"[-.]", " ", further).split())
    own = further if further.startswith("point") else say_address(further)
    return f"{called} {points(number)}{f' {own}' if own else ''}"


def _between(match: re.Match[str]) -> str:
    """A range of versions: the name belongs to both."""
    name, first, second = match.groups()
    return f"{name}{first} to {'version ' if name in ('v', 'V') else ''}{points(second)}"


_NAME = rf"[Vv]|[Vv]er\.? ?|[Vv]ersions? |(?:{_SOFTWARE}) ?"
VERSIONS: tuple[Rule, ...] = (
    (r"\b[Vv]\. ?(?=\d+\.\d)|\b[Vv] (?=\d+\.\d)", lambda match: "v"),
    (r"\bRev\.? (?=\d+\.\d)", lambda match: "revision "),
    (rf"\b({_NAME})({_NUMBERS}) ?- ?[Vv]?({_NUMBERS})(?!-){_END}", _between),
    (rf"\b([Vv]|[Vv]er\.? ?|[Vv]ersions? )({_NUMBERS}){_SUFFIX}{_END}", _version),
    (rf"\b((?:{_SOFTWARE}|{_PARTS}) ?)(\d+\.\d\d(?:\.\d+)*){_SUFFIX}{_END}", _version),
    (rf"(?<![\w.])()(\d+(?:\.\d+){{2}}){_SUFFIX}{_END}", _version),
    (r"(?<![\w.])()(\d+(?:\.\d+)?)(\.[xX])\b(?!\.\w)", _version),
)
