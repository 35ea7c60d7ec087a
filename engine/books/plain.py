"""Plain text as blocks. A heading is a line by itself that says that it is one: "Chapter 3", "PART TWO"."""

import re

from alrakis.books.book import Block

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
    rf"(?:\s*[.:–—-]\s*[^\n]{{0,80}})?\.?|(?:{_ALONE})\.?|第[0-9〇一二三四五六七八九十百千]{{1,6}}[章回部][^\n]{{0,40}})",
    re.IGNORECASE,
)


def plain_blocks(text: str) -> list[Block]:
    """Paragraphs and headings, in order."""
    blocks = []
    for paragraph in _PARAGRAPH.split(text):
        line = paragraph.strip()
        if line:
            heading = "\n" not in line and len(line) <= 120 and _HEADING.fullmatch(line)
            blocks.append(Block(line, 1 if heading else 0))
    return blocks
