"""A book from a file's content, by what its name ends in."""

import re
from pathlib import PurePath

from alrakis.books.book import Book, Chapter, Choices, chapters_of, stem_of
from alrakis.books.epub import read_epub
from alrakis.books.html import decode, html_blocks, html_title
from alrakis.books.markdown import front_matter, markdown_blocks
from alrakis.books.plain import gutenberg_text, plain_blocks
from alrakis.errors import InputError

_NAMES = {
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".md", ".markdown"), "markdown"),
    ".epub": "epub",
}
MOST_TEXT_BYTES = 64 << 20


def open_book(data: bytes, name: str, choices: Choices) -> Book:
    """The book in a file: EPUB, HTML and Markdown by the name's end, else plain text in UTF-8.

    Raises InputError for what cannot be read, or has no text.
    """
    form = "epub" if data[:4] == b"PK\x03\x04" else _NAMES.get(PurePath(name).suffix.lower(), "text")
    if form == "epub":
        return read_epub(data, name, choices)
    text = decode(data, name) if form == "html" else decode_text(data, name)
    left_out: list[str] = []
    if form == "html":
        blocks = html_blocks(text, name, choices, left_out)
        title = html_title(text)
        declared = re.search(r"""<html[^>]{0,300}?\slang=["']?([a-z]{2})""", text[:5000], re.IGNORECASE)
        chapters = chapters_of(blocks, title, name)
        return Book(chapters, title, language=declared[1].lower() if declared else "", left_out=left_out)
    if form == "markdown":
        facts = front_matter(text)
        title = facts.get("title", "")
        chapters = chapters_of(markdown_blocks(text, name, choices, left_out), title, name)
        language = facts.get("lang", "")[:2].lower()
        return Book(chapters, title, facts.get("author", ""), language, left_out=left_out)
    text, known = gutenberg_text(text)
    blocks = plain_blocks(text, name)
    if not any(block.level for block in blocks):
        return plain_book(text, name)
    title = known.get("Title", "")
    return Book(chapters_of(blocks, title, name), title, known.get("Author", ""))


def plain_book(text: str, name: str) -> Book:
    """A book of one chapter, whose text is as it was given. Raises InputError if it is empty."""
    if not text.strip():
        raise InputError(f"{name} is empty: there is nothing to read")
    return Book([Chapter(stem_of(name), text)])


def decode_text(data: bytes, name: str) -> str:
    """Text in UTF-8. Raises InputError for too much of it, or anything else."""
    if len(data) > MOST_TEXT_BYTES:
        raise InputError(f"{name} has more than {MOST_TEXT_BYTES >> 20} MiB: give it in parts")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text (byte {error.start}): convert it first") from None
    if "\0" in text:
        raise InputError(f"{name} is not text: byte {data.index(0)} is zero, as in binary files")
    return text
