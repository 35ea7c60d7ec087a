"""Versions: numbers between points, each in full, with what releases are called."""

import re

from alrakis.text.english.addresses import say_address
from alrakis.text.english.numbers import Rule, points

# Software whose version is read number by number: 3.10 is not 3.1.
_SOFTWARE = (
    "Python|Java|Node|Ruby|PHP|Perl|Rust|Go|Swift|Kotlin|Django|Rails|Ubuntu|Debian|Fedora|Linux|Android|"
    "Windows|iOS|macOS|Unicode|Chrome|Firefox|Safari|release|Release"
)
_SUFFIX = r"((?:-[a-z]{1,12}(?:\.?\d{1,6})?|[a-z]{1,4}\d{1,4})?)"


def _version(match: re.Match[str]) -> str:
    name, number, suffix = match.groups()
    called = (
        "version" if name and name[0] in "vV" and not name.lower().startswith("version") else name.strip()
    )
    further = re.sub(r"[-.]", " ", suffix)
    return f"{called} {points(number)}{f' {say_address(further)}' if further else ''}"


VERSIONS: tuple[Rule, ...] = (
    (rf"\b([Vv]|[Vv]er\.? ?|[Vv]ersions? )(\d+(?:\.\d+)*){_SUFFIX}(?![\w:/]|\.\d)", _version),
    (rf"\b({_SOFTWARE}) (\d+\.\d\d(?:\.\d+)*){_SUFFIX}(?![\w:/]|\.\d)", _version),
    (rf"(?<![\w.])()(\d+(?:\.\d+){{2}}){_SUFFIX}(?![\w:/]|\.\d)", _version),
)
