"""How names and other words are spelled so that they are said right: a pronunciation file, in TOML.

    [words]
    Hermione = "her my oh nee"
    "Dr. Who" = "Doctor Who"

    [patterns]
    '(\\d+) ?kr' = '\\1 crowns'

    [language.de.words]
    Boot = "Boht"

    [speaker.MAN.words]
    hello = "howdy"

A word is a whole one. Written in small letters it is found in any case, else as it is written. A spelling may
use other words of the file. What a speaker's table says goes before his language's, and that before the rest.
Each place of a text is changed once: patterns first, then words.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alrakis.errors import InputError
from alrakis.files.parsing import first_problem, parse_toml, read_file, reason

if sys.version_info >= (3, 11):
    from re import _parser as re_parser  # type: ignore[attr-defined]
else:
    import sre_parse as re_parser

_LONGEST = 1000  # characters of a spelling, other words within it included
_WINDOW = 150  # characters: a pattern finds what is no longer, and its time may be cubic in them
_MOST_REPEATS = 2  # in a pattern
_TOO_MANY = 100
_MOST_TO_DO = 40_000  # words for each pair of a language and a speaker; 40,000 take seconds
_MOST_WAYS = 128  # in which a pattern's ? and | can be gone through, all of which may be tried at a place
_REFERENCE = re.compile(r"\\(?:(\d{1,2})|g<(\w{1,40})>)|\\(.?)", re.DOTALL)

Part = tuple[str, str]  # a part of a text as it is written, and as it is said


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    words: dict[str, str] = Field(default_factory=dict)
    patterns: dict[str, str] = Field(default_factory=dict)


class _Content(_Table):
    language: dict[str, _Table] = Field(default_factory=dict)
    speaker: dict[str, _Table] = Field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class Lexicon:
    """A lexicon that was read and checked. content: as it is written, plain tables and strings."""

    content: Mapping[str, Any]

    def __post_init__(self) -> None:
        try:
            tables = _Content.model_validate(dict(self.content))
        except (ValidationError, TypeError, ValueError) as error:
            problem = (
                first_problem(error.errors(include_url=False))
                if isinstance(error, ValidationError)
                else error
            )
            raise InputError(
                f"the lexicon cannot be read: {problem}; its tables are {', '.join(_Content.model_fields)}"
            ) from None
        every = [tables, *tables.language.values(), *tables.speaker.values()]
        pairs = (1 + len(tables.language)) * (1 + len(tables.speaker))
        words = sum(len(table.words) + len(table.patterns) for table in every)
        if pairs > 1 and pairs * words > _MOST_TO_DO:
            raise InputError(
                f"the lexicon has {words} words and patterns, for {len(tables.language)} languages and "
                f"{len(tables.speaker)} speakers: that is too much; give fewer of them"
            )
        for table in every:
            for word in table.words:
                if not word.strip():
                    raise InputError("the lexicon has an empty word; a word has a letter or digit")
            for pattern, spelling in table.patterns.items():
                check_pattern(pattern, spelling)
        object.__setattr__(self, "_tables", tables)
        object.__setattr__(self, "_made", {})
        for language in (None, *tables.language):
            for speaker in (None, *tables.speaker):
                self._rules(language, speaker)

    def __repr__(self) -> str:
        return f"<Lexicon of {', '.join(self.content) or 'nothing'}>"

    def parts(self, text: str, language: str | None, speaker: str | None) -> list[Part]:
        """A text in parts: what is changed by itself, with what is said instead, and the rest as it is."""
        patterns, words, spellings = self._rules(language, speaker)
        parts: list[Part] = [(text, text)]
        for pattern, spelling in patterns:
            parts = _changed(parts, lambda plain, p=pattern, s=spelling: _by_pattern(plain, p, s))
        if words is not None:
            parts = _changed(parts, lambda plain: _by_words(plain, words, spellings))
        return parts

    def _rules(
        self, language: str | None, speaker: str | None
    ) -> tuple[list[tuple[re.Pattern[str], str]], re.Pattern[str] | None, dict[str, str]]:
        made: dict[Any, Any] = self._made  # type: ignore[attr-defined]
        key = (language, speaker)
        if key not in made:
            made[key] = _compiled(self._tables, language, speaker)  # type: ignore[attr-defined]
        return made[key]


def read_lexicon(path: str | Path) -> Lexicon:
    """The lexicon in a TOML file. Raises InputError that says what is wrong with it."""
    try:
        content = parse_toml(read_file(path).decode("utf-8"))
        return Lexicon(content)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a lexicon: {reason(error)}") from None


def _compiled(
    tables: _Content, language: str | None, speaker: str | None
) -> tuple[list[tuple[re.Pattern[str], str]], re.Pattern[str] | None, dict[str, str]]:
    order = [tables.speaker.get(speaker or ""), tables.language.get(language or ""), tables]
    words: dict[str, str] = {}
    patterns: dict[str, str] = {}
    for table in filter(None, order):
        for word, spelling in table.words.items():
            words.setdefault(" ".join(word.split()), spelling)
        for pattern, spelling in table.patterns.items():
            patterns.setdefault(pattern, spelling)
    found = _finder(words)
    spellings = _expanded(words, found) if found else {}
    return [(re.compile(pattern), spelling) for pattern, spelling in patterns.items()], found, spellings


def _finder(words: Mapping[str, str]) -> re.Pattern[str] | None:
    """Finds the words, the longest first; those in small letters in any case."""
    if not words:
        return None
    each = []
    for word in sorted(words, key=len, reverse=True):
        plain = r"\s+".join(map(re.escape, word.split()))
        before = r"(?<!\w)" if word[0].isalnum() else ""
        after = r"(?!\w)" if word[-1].isalnum() else ""
        each.append(f"{before}(?{'i' if word == word.lower() else '-i'}:{plain}){after}")
    return re.compile("|".join(each), re.IGNORECASE)


def _spelling(match: re.Match[str], spellings: Mapping[str, str]) -> str:
    word = " ".join(match[0].split())
    return spellings[word] if word in spellings else spellings[word.lower()]


def _expanded(words: Mapping[str, str], found: re.Pattern[str]) -> dict[str, str]:
    """The spellings with other words within them spelled too. Raises InputError for a cycle."""
    done: dict[str, str] = {}

    def expand(word: str, path: tuple[str, ...]) -> str:
        if word in done:
            return done[word]
        if len(path) > 50:
            raise InputError(
                f"the lexicon's {path[0]!r:.40} is spelled by more than 50 words, one by another"
            )

        def inner(match: re.Match[str]) -> str:
            other = " ".join(match[0].split())
            other = other if other in words else other.lower()
            if other == word:
                return match[0]  # "Smith" as "Smith, with an i"
            if other in path:
                cycle = " -> ".join([*path[path.index(other) :], word, other])
                raise InputError(f"the lexicon goes round in a circle: {cycle:.200}")
            return expand(other, (*path, word))

        said = found.sub(inner, words[word])
        if len(said) > _LONGEST:
            raise InputError(f"the lexicon's {word!r:.40} becomes more than {_LONGEST} characters")
        done[word] = said
        return said

    for word in words:
        expand(word, ())
    return done


def _changed(parts: list[Part], change: Any) -> list[Part]:
    """The parts with those changed that nothing has changed yet."""
    changed: list[Part] = []
    for written, said in parts:
        changed += change(written) if written == said else [(written, said)]
    return changed


def _by_words(text: str, words: re.Pattern[str], spellings: Mapping[str, str]) -> list[Part]:
    return _between(text, [(match.span(), _spelling(match, spellings)) for match in words.finditer(text)])


def _by_pattern(text: str, pattern: re.Pattern[str], spelling: str) -> list[Part]:
    """A pattern sees two windows at once, and is believed about what begins in the first."""
    found, begin = [], 0
    while begin < len(text):
        end = min(begin + 2 * _WINDOW, len(text))
        limit = begin + _WINDOW if end < len(text) else end
        for match in pattern.finditer(text, begin, end):
            if match.start() >= limit:
                break
            limit = max(limit, match.end())
            if match[0]:
                found.append((match.span(), match.expand(spelling)))
        begin = limit
    return _between(text, found)


def _between(text: str, found: list[tuple[tuple[int, int], str]]) -> list[Part]:
    parts, place = [], 0
    for (begin, end), said in found:
        parts += [(text[place:begin], text[place:begin]), (text[begin:end], said)]
        place = end
    return [part for part in [*parts, (text[place:], text[place:])] if part[0]]


def check_pattern(
    pattern: str, spelling: str, most_repeats: int = _MOST_REPEATS, most_ways: int = _MOST_WAYS
) -> None:
    """Raises InputError for a pattern that is broken, finds nothing, or can take endless time.

    most_repeats: how many of * + {n,m} it may have. most_ways: how many ways there may be through ? and |.
    """
    try:
        compiled = re.compile(pattern)
        parsed = re_parser.parse(pattern)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise InputError(f"the lexicon's pattern {pattern!r:.80} is broken: {error}") from None
    if compiled.match(""):
        raise InputError(
            f"the lexicon's pattern {pattern!r:.80} finds nothing at all: it must find a character"
        )
    repeats, ways = _price(parsed, False)
    if repeats > most_repeats or ways > most_ways:
        raise InputError(
            f"the lexicon's pattern {pattern!r:.80} can take endless time: no ? * + {{n,m}} within another, "
            f"no | within them, no \\1 in a pattern; {most_repeats} of * + {{n,m}} at the most, and few of ? "
            f"and |: {most_ways} ways through all of them"
        )
    for number, name, other in _REFERENCE.findall(spelling):
        known = name in compiled.groupindex if name else other == "\\"
        if not (int(number) <= compiled.groups if number else known):
            raise InputError(
                f"the lexicon's spelling {spelling!r:.80} has \\{number or name or other}, and its pattern "
                f"{pattern!r:.80} no such group"
            )


def _price(parsed: Any, inside: bool) -> tuple[int, int]:
    """How many repeats a pattern has (too many, if one is within another), and ways through its ? and |."""
    repeats, ways = 0, 1
    for operation, value in parsed:
        name = str(operation)
        parts: list[Any] = []
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            many = int(value[1]) > 1
            repeats += many + (_TOO_MANY if inside and value[0] != value[1] else 0)
            more, own = _price(value[2], inside or many)
            repeats, ways = repeats + more, ways * (own if many else own + 1)
        elif name == "BRANCH":
            priced = [_price(branch, inside) for branch in value[1]]
            repeats += (_TOO_MANY if inside else 0) + sum(more for more, _ in priced)
            ways *= sum(own for _, own in priced)
        elif name in ("GROUPREF", "GROUPREF_EXISTS"):
            repeats += _TOO_MANY
        elif name == "SUBPATTERN":
            parts = [value[-1]]
        elif name in ("ASSERT", "ASSERT_NOT"):
            parts = [value[1]]
        elif name == "ATOMIC_GROUP":
            parts = [value]
        for part in parts:
            more, own = _price(part, inside)
            repeats, ways = repeats + more, ways * own
    return repeats, min(ways, 2 * _MOST_WAYS)
