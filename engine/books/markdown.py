"""Markdown as blocks, by way of HTML (markdown-it); notes and their marks are not read aloud."""

import re

from alrakis.books.book import Block, Choices
from alrakis.books.html import html_blocks
from alrakis.errors import InputError

_MOST_BRACKETS = 50_000  # each may begin a link, which is looked for over and over
_MOST_SIGNS = 200_000  # and lines; markdown-it makes up to 2 kB of each
_SIGNS = "\n*_~<&`|"

_FRONT = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.{0,20000}?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_NOTE = re.compile(r"^ {0,3}\[\^[^\]\s]{1,60}\]:.*(?:\n(?: {4}|\t).*|\n(?=\n(?: {4}|\t)))*", re.MULTILINE)
_MARK = re.compile(r"\[\^[^\]\s]{1,60}\]")
_INLINE_NOTE = re.compile(r"\^\[([^\[\]\n]{1,500})\]")
_FACT = re.compile(r"^(title|author|lang|language)[ \t]*[:=][ \t]*[\"']?([^\n\"']{1,200})", re.MULTILINE)
# What flavours of Markdown add, and nobody says: attributes, boxes to tick, kinds of quotes, places of lists.
_UNSAID = (
    (re.compile(r"(?<![ \t])[ \t]{0,20}\{[#.][^{}\n]{0,200}\}[ \t]*$", re.MULTILINE), ""),
    (re.compile(r"^([ \t]{0,40}(?:[-*+]|\d{1,3}[.)])[ \t]{1,4})\[[ xX]\][ \t]", re.MULTILINE), r"\1"),
    (re.compile(r"^([ \t]{0,3}>[ \t]?)\[![A-Za-z]{1,20}\]", re.MULTILINE), r"\1"),
    (re.compile(r"^(?:\[TOC\]|\[\[_TOC_\]\]|:{3,}[^\n]{0,200})$", re.MULTILINE | re.IGNORECASE), ""),
)


def markdown_blocks(text: str, name: str, choices: Choices, left_out: list[str]) -> list[Block]:
    """The blocks of a text in Markdown. Raises InputError for one with too much in it."""
    from markdown_it import MarkdownIt

    if text.count("[") > _MOST_BRACKETS:
        raise InputError(f"{name} has more than {_MOST_BRACKETS} brackets: give it in parts")
    if sum(map(text.count, _SIGNS)) > _MOST_SIGNS:
        raise InputError(f"{name} has more than {_MOST_SIGNS} lines and signs: give it in parts")
    text = _FRONT.sub("", _lines(text), count=1)
    for note in (*_NOTE.findall(text), *_INLINE_NOTE.findall(text)):
        left_out.append(f"notes: {' '.join(note.split())[:50]}")
    text = _MARK.sub("", _INLINE_NOTE.sub("", _NOTE.sub("", text)))
    for pattern, instead in _UNSAID:
        text = pattern.sub(instead, text)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return html_blocks(parser.render(text), name, choices, left_out)


def _lines(text: str) -> str:
    """The text with lines that end as on this system."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def front_matter(text: str) -> dict[str, str]:
    """Title, author and language in the head of a text in Markdown."""
    head = _FRONT.match(_lines(text))
    return (
        {key[:4] if key == "language" else key: value.strip() for key, value in _FACT.findall(head[2])}
        if head
        else {}
    )
