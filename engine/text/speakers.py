"""Speaker labels in a text, such as `WOMAN:` and `MAN:`, and the cast that gives speakers voices."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from alrakis.errors import InputError

BARK_SPEAKERS = ("WOMAN", "MAN", "NARRATOR")  # in Bark's own examples
_COLON = r"[^\S\n]*(?::(?=\s)|：)"
_LINE_LABEL = re.compile(rf"^[^\S\n]*(?P<name>[^\W\d_][^\n:：]{{0,29}}?){_COLON}", re.MULTILINE)


@dataclass(frozen=True)
class Turn:
    """What one speaker says before the next one speaks.

    speaker: the name on the label, None before the first label. label: the label with its colon. text: what
    follows the label. All labels and texts, joined, are the whole text up to white space.
    """

    speaker: str | None
    label: str
    text: str


def split_turns(text: str, names: Collection[str] = ()) -> list[Turn]:
    """The turns of a text, in order; none is empty.

    A label is a name followed by a colon and by something to say. The name is either in capitals at the
    beginning of a line, or is WOMAN, MAN, NARRATOR or one of `names` anywhere between words.
    """
    labels = _labels(text, {*BARK_SPEAKERS, *names})
    begins = [0, *(label.begin for label in labels), len(text)]
    turns = [Turn(None, "", text[: begins[1]])]
    for label, end in zip(labels, begins[2:], strict=True):
        turns.append(Turn(label.name, text[label.begin : label.end], text[label.end : end]))
    return [turn for turn in turns if turn.text.strip()]


@dataclass(frozen=True)
class _Label:
    name: str
    begin: int
    end: int


def _labels(text: str, known: Collection[str]) -> list[_Label]:
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    anywhere = re.finditer(rf"(?<!\S)(?P<name>{names}){_COLON}", text)
    capitals = (m for m in _LINE_LABEL.finditer(text) if len(m["name"]) > 1 and m["name"].isupper())
    matches = {match.end(): match for match in (*capitals, *anywhere)}
    found: list[_Label] = []
    for end, match in sorted(matches.items(), reverse=True):
        followed_by = text[end : found[-1].begin if found else None]
        if followed_by.strip():
            found.append(_Label(match["name"], match.start("name"), end))
    return found[::-1]


def speakers(texts: Iterable[str], names: Collection[str] = ()) -> list[str]:
    """The speakers in the texts, each once, in order."""
    found = [turn.speaker for text in texts for turn in split_turns(text, names) if turn.speaker]
    return list(dict.fromkeys(found))


def check_cast(cast: Collection[str], texts: Iterable[str]) -> None:
    """Raises InputError if somebody in the cast speaks in none of the texts."""
    found = speakers(texts, cast) if cast else []
    for name in cast:
        if name not in found:
            there = f"the speakers are {', '.join(found)}" if found else "nobody does: it has no labels"
            raise InputError(f"{name!r} of the cast never speaks in the text; {there}")
