"""HTML as blocks: paragraphs and headings. What is not read aloud is dropped, or named where it is missed.

Dropped: scripts, styles, navigation, pictures, marks of notes and of pages. Named: code, tables that are
skipped, notes. lexbor (selectolax) parses; it takes any input, however deep.
"""

import codecs
import re
from collections.abc import Mapping
from typing import Any

from alrakis.books.book import Block, Choices
from alrakis.books.safe_xml import encoding_of
from alrakis.errors import InputError

MOST_TAGS = 300_000
_SPACE = re.compile(r"[ \t\r\n\f]+")
# fmt: off
_SILENT = {
    "head", "script", "style", "template", "noscript", "nav", "svg", "math", "audio", "video", "iframe",
    "object", "canvas", "form", "button", "select", "textarea", "input", "rt", "rp", "del", "s",
}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "header", "html", "li", "main", "ol", "p", "section",
    "summary", "table", "tbody", "tfoot", "thead", "tr", "ul", "caption",
}
# fmt: on
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MARK = re.compile(r"\s*[\[(]?(?:\d{1,4}|[a-z*†‡§¶]{1,3})[\])]?\.?\s*")
_BRACKETED = re.compile(r"\s*\[(?:\d{1,4}|[a-z*†‡]|note \d{1,4})\]\s*")
_REMARK = re.compile(r"\s*\[[^\]]{1,40}\]\s*")  # [citation needed]
_BACK = re.compile("[\\s↩↑^\ufe0e\ufe0f\u21a9]+")
_TYPES = {  # of epub:type and role: what is dropped, and what is named
    **dict.fromkeys(("noteref", "doc-noteref", "pagebreak", "doc-pagebreak", "backlink", "doc-backlink"), ""),
    **dict.fromkeys(("toc", "doc-toc", "landmarks", "page-list", "index", "doc-index"), ""),
    **dict.fromkeys(
        ("footnote", "footnotes", "endnote", "endnotes", "rearnote", "rearnotes", "doc-footnote"), "notes"
    ),
    **dict.fromkeys(("doc-endnotes", "doc-endnote"), "notes"),
}
# What books from before epub:type, and well-known sites, call the same: names of classes.
_CLASSES = {
    **dict.fromkeys(("pagenum", "pageno", "page-number", "pagenumber", "pagebreak", "page-break"), ""),
    **dict.fromkeys(
        ("noteref", "fnanchor", "fnref", "footnote-ref", "footnote-back", "footnote-backref"), ""
    ),
    **dict.fromkeys(("mw-editsection", "noprint", "sr-only", "visually-hidden"), ""),
    **dict.fromkeys(("footnote", "footnotes", "endnote", "endnotes", "rearnote", "rearnotes"), "notes"),
    **dict.fromkeys(("references", "reflist"), "notes"),
    "pg-boilerplate": "licence",
}
_INLINE = ("a", "sup", "sub", "span", "small", "i", "em", "b", "strong")
_TO_NOTE = re.compile(r"[^#]*#_?(?:fn|ftn|foot|note|endnote|edn|en|n|f)[a-z_:.-]{0,20}\d{1,5}", re.IGNORECASE)
_NOTE_ID = re.compile(r"_?(?:ftn|edn)\d{1,5}")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_UNHEARD = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))  # where a word may be broken, or not
# Encodings that Python has for names and for its own literals; the time of the first two is quadratic.
_NO_PAGES = ("punycode", "idna", "unicode-escape", "raw-unicode-escape")
_VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
_EMPTY = re.compile(rf"<(?!(?:{_VOID})\b)([A-Za-z][\w:-]*)((?:\s[^<>]*)?)/>")


def decode(data: bytes, name: str) -> str:
    """HTML's text, by the encoding it declares, else UTF-8. Raises InputError."""
    encoding = encoding_of(data) or "utf-8"
    try:
        if codecs.lookup(encoding).name in _NO_PAGES:
            raise LookupError
        return data.decode(encoding).lstrip("\ufeff").replace("\0", "")
    except (LookupError, UnicodeError):
        raise InputError(f"{name} is not text in {encoding}: convert it to UTF-8 first") from None


def html_title(text: str) -> str:
    """The title in the head of a page."""
    title = re.search(r"<title[^>]{0,200}>([^<]{1,500})</title>", text[:20_000], re.IGNORECASE)
    return " ".join(_parse(title[1], "a title").text().split()) if title else ""


def html_blocks(
    text: str,
    name: str,
    choices: Choices,
    left_out: list[str],
    *,
    xhtml: bool = False,
    anchors: Mapping[str, str] | None = None,
) -> list[Block]:
    """The blocks of some HTML; what is missed of it is added to `left_out`. Raises InputError.

    anchors: titles of chapters that begin at elements with these ids.
    """
    if xhtml:
        text = _EMPTY.sub(r"<\1\2></\1>", text)
    page = _Page(choices, left_out, anchors or {})
    page.walk(_parse(text, name).root)
    return page.blocks


def _parse(text: str, name: str) -> Any:
    from selectolax.lexbor import LexborHTMLParser

    if text.count("<") > MOST_TAGS:
        raise InputError(f"{name} has more than {MOST_TAGS} tags: give it in parts")
    return LexborHTMLParser(text)


class _Page:
    """One page on its way into blocks."""

    def __init__(self, choices: Choices, left_out: list[str], anchors: Mapping[str, str]) -> None:
        self.blocks: list[Block] = []
        self._choices = choices
        self._left_out = left_out
        self._anchors = anchors
        self._heading = False
        self._said: list[str] = []
        self._pre = 0
        self._row = 0  # cells of the row that is read

    def walk(self, root: Any) -> None:
        left = [(root, False)]
        while left:
            node, leaving = left.pop()
            if leaving:
                self._leave(node.tag)
            elif self._enter(node):
                left.append((node, True))
                children, child = [], node.child
                while child is not None:
                    children.append((child, False))
                    child = child.next
                left += reversed(children)
        self._flush()

    def _enter(self, node: Any) -> bool:
        """Whether what is in a node is read."""
        tag = node.tag
        if tag == "-text":
            text = node.text_content or ""
            self._said.append(text if self._pre else _SPACE.sub(" ", text))
            return False
        if tag is None or tag.startswith(("-", "!")):  # lexbor gives <?xml ...?> within a page no tag
            return False
        if tag in _SILENT or self._is_mark(node, tag) or self._is_missed(node, tag):
            return False
        self._begin(node.attributes)
        if tag == "br":
            self._said.append("\n")
        elif tag == "img" and self._heading:  # the title as a picture
            self._said.append(node.attributes.get("alt") or "")
        elif tag == "hr":
            self._flush()
            self.blocks.append(Block("* * *"))
        elif tag in ("td", "th"):
            if self._row:
                self._said.append(", ")
            self._row += 1
        elif tag in _BLOCKS or tag in _HEADINGS or tag == "pre":
            self._flush()
            self._row = 0
            self._pre += tag == "pre"
            self._heading = tag in _HEADINGS
        return True

    def _begin(self, attributes: Mapping[str, str | None]) -> None:
        """Begin a chapter where the book's contents say that one begins."""
        for name in (attributes.get("id"), attributes.get("name")):
            if name is not None and name in self._anchors:
                self._flush()
                self.blocks.append(Block("", part=self._anchors[name]))
                return

    def _leave(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._flush(_HEADINGS[tag])
            self._heading = False
        elif tag == "tr":
            self._flush(row=True)
        elif tag in _BLOCKS or tag == "pre":
            self._flush()
            self._pre -= tag == "pre"

    def _flush(self, level: int = 0, row: bool = False) -> None:
        lines = "".join(self._said).translate(_UNHEARD).split("\n")
        self._said = []
        text = "\n".join(filter(None, (" ".join(line.split()) for line in lines)))
        if row:
            text = re.sub(r"(?:, )+$|^(?:, )+", "", re.sub(r"(?: ?, ?){1,}", ", ", text)).strip(" ,")
            text += "." if text[-1:].isalnum() else ""
        if text:
            self.blocks.append(Block(" ".join(text.split()) if level else text, level))

    def _is_mark(self, node: Any, tag: str) -> bool:
        """Whether a node is the mark of a note, or a way back from one."""
        attributes = node.attributes
        if "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return True
        if _HIDDEN.search(attributes.get("style") or ""):
            return True
        if tag not in ("sup", "a"):
            return False
        if tag == "a" and "href" not in attributes:
            return False
        text = node.text() or ""
        if tag == "sup":
            linked = node.css_first("a") is not None or (node.parent is not None and node.parent.tag == "a")
            return linked and bool(_MARK.fullmatch(text) or _REMARK.fullmatch(text))
        if _BRACKETED.fullmatch(text) or _BACK.fullmatch(text):
            return True
        to_note = node.css_first("sup") is not None or _TO_NOTE.fullmatch(attributes["href"] or "")
        return bool(_MARK.fullmatch(text) and to_note)

    def _is_missed(self, node: Any, tag: str) -> bool:
        """Whether a node is left out, and named if somebody may miss it."""
        attributes = node.attributes
        types = f"{attributes.get('epub:type') or ''} {attributes.get('role') or ''}".split()
        known = [_TYPES[kind] for kind in types if kind in _TYPES]
        classes = (attributes.get("class") or "").lower().split()
        named = [_CLASSES[kind] for kind in classes if kind in _CLASSES and tag not in ("body", "html")]
        if named or (tag == "div" and _NOTE_ID.fullmatch(attributes.get("id") or "")):
            self._miss("" if tag in _INLINE else "notes" if not named else named[0], node)
            return True
        if (known and tag not in ("body", "html", "section")) or "notes" in known:
            self._miss(known[0], node)
            return True
        if tag == "pre" and not self._choices.code:
            self._miss("code", node)
            return True
        if tag == "table" and self._choices.tables == "skip":
            self._miss("table", node)
            return True
        return False

    def _miss(self, kind: str, node: Any) -> None:
        if kind:
            begin = " ".join((node.text() or "").split())
            self._left_out.append(f"{kind}: {begin[:50]}{'...' if len(begin) > 50 else ''}")
