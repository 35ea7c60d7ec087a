"""Plain text as blocks. A heading is a line by itself that says that it is one: "Chapter 3", "PART TWO".

A short line may follow it, its title. Numbers alone are headings where they count chapters: I, II, III.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from alrakis.books.book import Block
from alrakis.errors import InputError

MOST_PARAGRAPHS = 300_000
_PARAGRAPH = re.compile(r"(?:\r\n?|\n)[^\S\r\n]*(?:\r\n?|\n)|[\f\u2029]")
_NUMBERED = (
    "chapter|part|book|volume|act|scene|canto|kapitel|teil|buch|chapitre|partie|livre|capítulo|parte|libro|"
    "capitolo|livro|rozdział|część|глава|часть|книга|bölüm|kısım"
)
_ALONE = (
    "prologue|epilogue|introduction|preface|foreword|afterword|prolog|epilog|vorwort|nachwort|prólogo|epílogo"
)
_HEADING = re.compile(
    rf"(?:(?:{_NUMBERED})\s+(?:\d{{1,4}}|[ivxlc]{{1,9}}|[^\W\d_]{{1,15}}(?:[- ][^\W\d_]{{1,9}})?)"
    rf"(?:\s*[.:–—-]\s*[^\n]{{0,80}})?\.?|(?:{_ALONE})\.?|[^\W\d_]{{3,20}}es kapitel"
    r"|第[0-9〇一二三四五六七八九十百千]{1,6}[章回部][^\n]{0,40})",
    re.IGNORECASE,
)
_TITLE = re.compile(r"[^\Wa-z][^\n]{0,59}|[\"“‘'(«][^\Wa-z][^\n]{0,57}")
_SIGNS = re.compile(r"\*\*\* ?(START|END) OF (?:THE|THIS) PROJECT GUTENBERG EBOOK[^\n]{0,200}")
_FACT = re.compile(r"^(Title|Author|Language): ([^\r\n]{1,200})", re.MULTILINE)
_LEAST_LISTED = 4  # headings that follow each other: a list of contents


def plain_blocks(text: str, name: str) -> list[Block]:
    """Paragraphs and headings, in order; a list of contents is left out.

    Raises InputError for more than a book has.
    """
    paragraphs = _PARAGRAPH.split(text, MOST_PARAGRAPHS)
    if len(paragraphs) > MOST_PARAGRAPHS:
        raise InputError(f"{name} has more than {MOST_PARAGRAPHS} paragraphs: give it in parts")
    blocks: list[Block] = []
    for paragraph in paragraphs:
        line = paragraph.strip()
        if _lists(line):
            _drop_contents(blocks)
        elif line:
            heading = _heading(line)
            blocks.append(Block(heading, 1) if heading else Block(line))
    if not any(block.level for block in blocks):
        return _counted(blocks)
    return _without_lists(blocks)


def gutenberg_text(text: str) -> tuple[str, dict[str, str]]:
    """The text between the signs that Project Gutenberg puts around it, and what stands before: its title...

    Other texts as they are, and nothing.
    """
    signs = {match[1]: match for match in _SIGNS.finditer(text)}
    if "START" not in signs:
        return text, {}
    facts = {name: value.strip() for name, value in _FACT.findall(text[: signs["START"].start()][:20_000])}
    end = signs["END"].start() if "END" in signs else len(text)
    return text[signs["START"].end() : max(end, signs["START"].end())], facts


def _heading(paragraph: str) -> str:
    """A heading in one line, "" for a paragraph that is none."""
    first, *others = paragraph.splitlines()
    if len(paragraph) > 120 or not _HEADING.fullmatch(first.strip()) or len(others) > 1:
        return ""
    if not others:
        return first.strip()
    title = others[0].strip()
    titled = _TITLE.fullmatch(title) and not _HEADING.match(title)
    return f"{first.strip().rstrip('.:')}. {title}" if titled else ""


def _lists(paragraph: str) -> bool:
    """Whether a paragraph is a list of chapters, a line each."""
    lines = paragraph.splitlines()
    return len(lines) > 2 and sum(map(_is_listed, lines)) * 3 > len(lines) * 2


def _is_listed(line: str) -> bool:
    return len(line) <= 160 and _HEADING.match(line.strip()) is not None


def _drop_contents(blocks: list[Block]) -> None:
    """Take away the heading of a list that is left out."""
    if blocks and blocks[-1].text.lower().rstrip(".:") in ("contents", "table of contents"):
        blocks.pop()


def _counted(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with headings where paragraphs count: 1, 2, 3 or I, II, III."""
    number, places = 1, set()
    for place, block in enumerate(blocks):
        if len(block.text) < 20 and block.text.rstrip(".") in (str(number), _roman(number)):
            places.add(place)
            number += 1
    if len(places) < 2:
        return list(blocks)
    return [replace(block, level=1) if place in places else block for place, block in enumerate(blocks)]


def _roman(number: int) -> str:
    number = min(number, 100)
    tens, ones = divmod(number, 10)
    return "X" * tens + ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[ones]


def _without_lists(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without runs of headings that are a list of contents; the last of a run has its text."""
    kept: list[Block] = []
    run: list[Block] = []
    for block in blocks:
        if block.level:
            run.append(block)
            continue
        if len(run) >= _LEAST_LISTED:
            _drop_contents(kept)
            run = run[-1:]
        kept += [*run, block]
        run = []
    return kept + run
