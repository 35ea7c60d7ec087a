"""A book: its chapters, and what of it is not read aloud. Its blocks become chapters at its headings."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePath
from typing import Literal

from alrakis.errors import InputError

_LONGEST_TITLE = 300
_CHOICE = re.compile(r"\s*(\d{1,6})\s*(?:(-)\s*(\d{1,6})?)?\s*")


@dataclass(frozen=True)
class Choices:
    """What of a book is read besides its plain text. tables: row by row, or not at all."""

    code: bool = False
    tables: Literal["rows", "skip"] = "rows"


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading of a level from 1 to 6, or the beginning of a file that may be a chapter.

    part: the file's title, where the book's contents name it.
    """

    text: str
    level: int = 0
    part: str | None = None


@dataclass(frozen=True, repr=False)
class Chapter:
    """text: all that is read aloud of it, its title first, with an empty line between paragraphs.

    A title that is longer than titles are is cut: it goes into tags, names of files and lists.
    """

    title: str
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", _cut(self.title))

    def __repr__(self) -> str:
        return f"<Chapter {self.title!r:.60}: {len(self.text)} characters>"


@dataclass(frozen=True, repr=False)
class Book:
    """title, author, language: as the book says, "" if it does not. left_out: what is not read aloud, named.

    cover: a picture's bytes, JPEG or PNG.
    """

    chapters: list[Chapter]
    title: str = ""
    author: str = ""
    language: str = ""
    cover: bytes | None = None
    left_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", _cut(self.title))
        object.__setattr__(self, "author", _cut(self.author))

    def __repr__(self) -> str:
        by = f" by {self.author!r:.40}" if self.author else ""
        return f"<Book {self.title!r:.60}{by}: {len(self.chapters)} chapters>"


def _cut(title: str) -> str:
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"


@dataclass
class _Open:
    """A chapter that blocks are added to. body: it has more than headings."""

    title: str = ""
    texts: list[str] = field(default_factory=list)
    body: bool = False


def chapters_of(blocks: Sequence[Block], title: str, name: str) -> list[Chapter]:
    """The chapters of some blocks: they begin at the highest headings of which there are several with text.

    Headings that follow each other, as "Part One" and "Chapter 1", begin one chapter, which is named after
    the last. title: of a book that has no headings. Raises InputError, with `name`, if there is nothing to
    read.
    """
    deepest = _chapter_level(blocks)
    chapters = [_Open()]
    for block in blocks:
        begins = block.part is not None or 0 < block.level <= deepest
        if begins and chapters[-1].body:
            chapters.append(_Open())
        own = chapters[-1]
        if begins:
            own.title = block.part or block.text or own.title
        if block.text:
            own.texts.append(_ended(block.text) if block.level else block.text)
            own.body = own.body or not block.level
    said = [chapter for chapter in chapters if any(map(str.isalnum, "".join(chapter.texts)))]
    if not said:
        raise InputError(f"{name} has no text: there is nothing to read in it")
    unnamed = (title or stem_of(name)) if len(said) == 1 else "Beginning"
    return [Chapter(chapter.title or unnamed, "\n\n".join(chapter.texts)) for chapter in said]


def stem_of(name: str) -> str:
    """A file's name without its end, as a title: names on disks need not be Unicode."""
    return PurePath(name).stem.encode("utf-8", "replace").decode()


def _chapter_level(blocks: Sequence[Block]) -> int:
    """The highest level of several headings that are not all followed by another heading, as parts are."""
    levels = Counter(block.level for block in blocks if block.level)
    several = [level for level in sorted(levels) if levels[level] > 1]
    for level in several:
        _, *after = [then.level > level for block, then in pairwise(blocks) if block.level == level]
        if 3 * sum(after) < 2 * len(after):  # the first may be the book's title
            return level
    return several[-1] if several else 6


def _ended(heading: str) -> str:
    """A heading as a sentence."""
    return heading if not heading[-1:].isalnum() else f"{heading}."


def parse_chapters(choice: str | None, count: int) -> range:
    """The chapters that a choice such as `3`, `3-5` or `3-` names, from 1; all if None. Raises InputError."""
    if choice is None:
        return range(1, count + 1)
    named = _CHOICE.fullmatch(choice)
    if named is None:
        raise InputError(f"--chapters takes N or N-M, as in --chapters 3-5, not {choice!r:.80}")
    first = int(named[1])
    last = int(named[3]) if named[3] else count if named[2] else first
    if not 1 <= first <= last <= count:
        there = f"chapters 1 to {count}" if count > 1 else "one chapter"
        raise InputError(f"there is no chapter {choice.strip()}: the book has {there} (--list shows them)")
    return range(first, last + 1)
