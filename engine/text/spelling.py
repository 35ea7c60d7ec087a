"""A text as it is said, beside how it was written: a lexicon's spellings, and English numbers in words."""

import functools
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from alrakis.errors import InputError
from alrakis.sampling import Options
from alrakis.text.english.saying import say_in_words
from alrakis.text.pace import language_of
from alrakis.text.speakers import split_turns

if TYPE_CHECKING:
    from alrakis.text.lexicon import Lexicon
    from alrakis.text.splitting import Chunk


class Spelled:
    """A text with some of it spelled in another way. said: what is to be said."""

    def __init__(self, parts: Sequence[tuple[str, str]]) -> None:
        self._parts = parts
        self.said = "".join(said for _, said in parts)

    @property
    def changed(self) -> bool:
        """Whether anything is spelled in another way."""
        return any(written != said for written, said in self._parts)

    def written(self, chunks: Sequence["Chunk"]) -> list["Chunk"]:
        """Chunks of what is said, with how each was written where that is something else.

        A spelling that goes on into the next chunk belongs to the one that it begins in.
        """
        if not self.changed:
            return list(chunks)
        whole = "".join(written for written, _ in self._parts)
        letters, places = self._letters()
        made, at, taken = [], 0, 0
        for chunk in chunks:
            own = "".join(chunk.text.split())
            begin = letters.find(own, at)
            if begin < 0:  # a chunk of somebody else's
                made.append(chunk)
                continue
            at = begin + len(own)
            first = max(places[begin][0], taken)
            taken = max(places[at - 1][1], first)
            text = " ".join(whole[first:taken].split())
            made.append(replace(chunk, written=text if text != chunk.text else None))
        return made

    def _letters(self) -> tuple[str, list[tuple[int, int]]]:
        """What is said without white space, and for each character where it was written."""
        letters: list[str] = []
        places: list[tuple[int, int]] = []
        begin = 0
        for written, said in self._parts:
            end = begin + len(written)
            for place, letter in enumerate(said, begin):
                if not letter.isspace():
                    letters.append(letter)
                    places.append((place, place + 1) if written == said else (begin, end))
            begin = end
        return "".join(letters), places


def spell(
    text: str,
    options: Options,
    language: str | None = None,
    cast: Collection[str] = (),
    speaker: str | None = None,
) -> Spelled:
    """A text by the options' lexicon. speaker: whose text it is, if it has no labels of its own."""
    lexicon = lexicon_of(options)
    if lexicon is None:
        return Spelled([(text, text)])
    language = language or language_of(text)
    parts: list[tuple[str, str]] = []
    place = 0
    for turn in split_turns(text, cast):
        begin = text.find(turn.text, place)
        if begin > place:
            parts.append((text[place:begin], text[place:begin]))  # a label
        parts += lexicon.parts(turn.text, language, turn.speaker or speaker)
        place = begin + len(turn.text)
    return Spelled(parts)


def normalised(chunks: Sequence["Chunk"], options: Options, language: str) -> list["Chunk"]:
    """Chunks with English numbers and abbreviations in words, if the options ask for it."""
    if not options.normalise or language != "en":
        return list(chunks)
    made = []
    for chunk in chunks:
        said = say_in_words(chunk.text)
        made.append(
            chunk if said == chunk.text else replace(chunk, text=said, written=chunk.written or chunk.text)
        )
    return made


def spelled_chunks(
    text: str,
    options: Options,
    language: str,
    cast: Collection[str],
    split: Callable[[str], list["Chunk"]],
) -> list["Chunk"]:
    """The chunks of a text that is spelled first; `split` cuts it."""
    spelled = spell(text, options, language, cast)
    return normalised(spelled.written(split(spelled.said)), options, language)


def said_of(text: str, options: Options, language: str | None = None, speaker: str | None = None) -> str:
    """A short text as it is said."""
    said = spell(text, options, language, speaker=speaker).said
    return say_in_words(said) if options.normalise and (language or language_of(text)) == "en" else said


@functools.lru_cache(16)
def _lexicon(content: str) -> "Lexicon":
    from alrakis.text.lexicon import Lexicon

    return Lexicon(json.loads(content))


def lexicon_of(options: Options) -> "Lexicon | None":
    """The options' lexicon, checked. Raises InputError."""
    if options.lexicon is None:
        return None
    try:
        return _lexicon(json.dumps(options.lexicon, ensure_ascii=False))
    except TypeError:
        raise InputError(f"a lexicon is a table of strings, not {options.lexicon!r:.80}") from None
