"""Addresses: of the web, of mail, of files and machines, of streets, with their signs by name."""

import re

from alrakis.text.english.numbers import Rule, digits, words
from alrakis.text.english.words import spelled

_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|io|ai|dev|app|co|me|tv|uk|us|ca|au|nz|ie|eu|de|fr|es|it|nl|be|ch|at|se|no|"
    "dk|fi|pl|pt|cz|gr|ru|ua|tr|in|cn|jp|kr|br|mx|za|ly|gg|fm|xyz|online|site|tech|blog|shop"
)
_FILES = (
    "txt|md|html|htm|xml|json|csv|toml|yaml|yml|ini|log|pdf|epub|docx?|xlsx?|pptx?|odt|rtf|py|js|ts|css|rs|go|java|"
    "cpp|sh|exe|dll|zip|tar|gz|png|jpe?g|gif|svg|webp|mp3|mp4|m4b|wav|flac|ogg|srt|vtt|npz"
)
_SAID = {
    ".": "dot",
    "/": "slash",
    "\\": "backslash",
    "-": "dash",
    "_": "underscore",
    "~": "tilde",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
    "%": "percent",
    "+": "plus",
    "@": "at",
    ":": "colon",
    "!": "exclamation mark",
    "$": "dollar",
    "*": "star",
    ",": "comma",
    ";": "semicolon",
}
_SHORT = ("co", "at", "by", "do", "go", "in", "is", "me", "my", "no", "of", "on", "so", "to", "up", "we")
_STATES = (
    "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|"
    "W[AIVY]"
)
_WINDS = {"N": "North", "S": "South", "E": "East", "W": "West"}
_LABEL = r"[A-Za-z0-9][A-Za-z0-9-]{0,62}"
_END = ".,;:!?)]}'*_"  # what ends a sentence, not an address
_LONGEST = 200  # characters that are read; what is longer is no address that anybody says


def say_address(address: str) -> str:
    """An address with the names of its signs; what cannot be spoken is spelled, as are long numbers."""
    if not re.search("[a-z]", address):
        address = address.lower()
    parts = re.findall(r"[A-Za-z]+|[0-9]+|[^A-Za-z0-9]", address, re.ASCII)
    return " ".join(filter(None, map(_part, parts)))


def _part(part: str) -> str:
    if part.isascii() and part.isalpha():
        speaks = part.lower() in _SHORT or (len(part) > 2 and re.search("[aeiouy]", part, re.IGNORECASE))
        return part if speaks and not (part.isupper() and len(part) < 4) else spelled(part)
    if part.isascii() and part.isdigit():
        return words(part) if len(part) <= 4 else digits(part)
    return _SAID.get(part, part if part.isalpha() else "")


def _address(match: re.Match[str]) -> str:
    found = match["address"]
    kept = found.rstrip(_END)
    if kept.count("(") > kept.count(")") and found[len(kept) :].startswith(")"):
        kept += ")"
    return say_address(kept) + found[len(kept) :]


def _machine(match: re.Match[str]) -> str:
    port = f" colon {digits(match[5])}" if match[5] else ""
    net = f" slash {words(match[6])}" if match[6] else ""
    return " dot ".join(words(match[i]) for i in range(1, 5)) + port + net


def _hardware(match: re.Match[str]) -> str:
    """00:1a:2b:3c:4d:5e, fe80::1: letters and digits one by one."""
    groups = match[0].split(":")
    return " colon ".join(" ".join(spelled(c) or words(c) for c in group) for group in groups if group)


def _called(match: re.Match[str]) -> str:
    return f"{match[1]} {digits(match[2])}"


def _wind(match: re.Match[str]) -> str:
    return " ".join(_WINDS[letter] for letter in match[1])


def _postal(match: re.Match[str]) -> str:
    return f"{match[1]} {digits(match[2])}" + (f", {digits(match[3])}" if match[3] else "")


ADDRESSES: tuple[Rule, ...] = (
    (rf"\b(?:(?i:https?|s?ftp|ssh|wss?|s3|gs|git|file)):///?(?P<address>[^\s<>|]{{1,{_LONGEST}}})", _address),
    (r"\b(tel:)\+?(\d{3,15})\b", _called),
    (
        rf"(?<![\w.+%-])(?:mailto:)?(?P<address>[\w.+%-]{{1,64}}@{_LABEL}(?:\.{_LABEL}){{1,8}}"
        rf"(?:[:?][\w./?=&%+-]{{1,{_LONGEST}}})?)",
        _address,
    ),
    (
        rf"(?<![\w.@/-])(?P<address>(?:(?:{_LABEL}\.){{1,8}}(?:{_DOMAINS})(?![\w-])(?!\.\w)"
        rf"|(?i:www)(?:\.{_LABEL}){{2,8}}|localhost(?=:\d)|(?:{_LABEL}\.){{1,3}}[a-z]{{2,6}}(?=/\w))"
        rf"(?::\d{{1,5}})?(?:[/?#][^\s<>|]{{0,{_LONGEST}}})?)",
        _address,
    ),
    (
        rf"(?<![\w.@/~-])(?P<address>(?:(?:~|\.{{1,2}})/)?(?:[\w.-]{{1,64}}/){{0,8}}"
        rf"[\w-]{{1,64}}(?:\.[\w-]{{1,64}}){{0,3}}\.(?i:{_FILES}))(?![\w-])(?!\.\w)",
        _address,
    ),
    (
        r"(?<![\w./~-])(?P<address>(?:(?:~|\.{1,2})/[A-Za-z0-9_.-]{1,64}|/[A-Za-z0-9_.-]{1,64}(?=/))"
        r"(?:/[A-Za-z0-9_.-]{1,64}){0,9}/?)",
        _address,
    ),
    (r"(?<![\w\\])(?P<address>(?:[A-Z]:\\|\\\\)[A-Za-z0-9_.\\-]{1,200})", _address),
    (
        r"(?<![\w:])(?=[\d:]{0,40}(?:[A-Fa-f]|::))(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])",
        _hardware,
    ),
    (r"(?<=\d )(N|S|E|W|NE|NW|SE|SW)\.?(?= (?:[A-Z][a-z]|\d{1,3}(?:st|nd|rd|th) ))", _wind),
    (r"\b(NE|NW|SE|SW)\b(?=,)", _wind),
    (rf"\b({_STATES}),? (\d{{5}})(?:-(\d{{4}}))?(?![\d-])", _postal),
)
MACHINES: tuple[Rule, ...] = (
    (
        r"(?<![\w.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::(\d{1,5}))?(?:/(\d{1,2})\b)?(?![\d.]\d|\d)",
        _machine,
    ),
)
