"""HTML as blocks: paragraphs and headings. What is not read aloud is dropped, or named where it is missed.

Dropped: scripts, styles, navigation, pictures, marks of notes and of pages. Named: code, tables that are
skipped, notes. lexbor (selectolax) parses; it takes any input, however deep.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from alrakis.books.book import Block, Choices
from alrakis.books.safe_xml import encoding_of
from alrakis.errors import InputError

MOST_TAGS = 300_000
MOST_LEVELS = 1000
MOST_ATTRIBUTES = 10_000  # of a tag
_SOME_TAGS = 20_000  # as many take a second at the worst, all within each other
_SPACE = re.compile(r"[ \t\r\n\f]+")
# fmt: off
_SILENT = {
    "head", "script", "style", "noscript", "nav", "svg", "math", "audio", "video", "iframe",
    "object", "canvas", "form", "button", "select", "textarea", "input", "rt", "rp", "del", "x-s",
    "x-template",
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
_INLINE = ("a", "sup", "sub", "span", "x-small", "x-i", "x-em", "x-b", "x-strong")
_LONGEST_MARK, _MOST_IN_MARK = 100, 20  # characters; tags and texts
_TO_NOTE = re.compile(r"[^#]*#_?(?:fn|ftn|foot|note|endnote|edn|en|n|f)[a-z_:.-]{0,20}\d{1,5}", re.IGNORECASE)
_NOTE_ID = re.compile(r"_?(?:ftn|edn)\d{1,5}")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_UNHEARD = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))  # where a word may be broken, or not
# Encodings that Python has for names and for its own literals; the time of the first two is quadratic.
_NO_PAGES = ("punycode", "idna", "unicode-escape", "raw-unicode-escape")
_VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
# HTML makes these anew in every paragraph until they are closed, so that few of them become millions. They
# get names that it does not know, which nobody sees: wherever their names stand in a page.
_STYLES = re.compile(
    r"<(/?)(b|big|code|em|font|i|nobr|s|small|strike|strong|template|tt|u)(?=[\s/>])", re.IGNORECASE
)
_TAG = re.compile(r"""<[A-Za-z](?:"[^"]*"|'[^']*'|[^>"'])*""")
_BETWEEN = re.compile(r"[\s/\"']")
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
    return " ".join(parse_page(title[1], "a title").text().split()) if title else ""


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
    page.walk(parse_page(text, name).root)
    return page.blocks


def parse_page(text: str, name: str) -> Any:
    """A page's tree. Raises InputError where lexbor would take quadratic time: for levels, and attributes."""
    from selectolax.lexbor import LexborHTMLParser

    text = _STYLES.sub(r"<\1x-\2", text)
    if text.count("<") > MOST_TAGS:
        raise InputError(f"{name} has more than {MOST_TAGS} tags: give it in parts")
    if any(len(_BETWEEN.findall(tag[0])) > MOST_ATTRIBUTES for tag in _TAG.finditer(text)):
        raise InputError(f"{name} has a tag with more than {MOST_ATTRIBUTES} attributes: remove it")
    begins = [tag.start() for tag in re.finditer("<", text)]
    for begin in begins[_SOME_TAGS::_SOME_TAGS]:
        if _is_deep(LexborHTMLParser(text[:begin]).root):
            raise InputError(f"{name} is nested deeper than {MOST_LEVELS} levels: repair it first")
    return LexborHTMLParser(text)


def _is_deep(root: Any) -> bool:
    level = [root]
    for _ in range(MOST_LEVELS):
        level = [child for node in level for child in node.iter()]
        if not level:
            return False
    return True


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
        text, tags = _little_in(node)
        if text is None:
            return False
        if tag == "sup":
            linked = "a" in tags or (node.parent is not None and node.parent.tag == "a")
            return linked and bool(_MARK.fullmatch(text) or _REMARK.fullmatch(text))
        if _BRACKETED.fullmatch(text) or _BACK.fullmatch(text):
            return True
        to_note = "sup" in tags or _TO_NOTE.fullmatch(attributes["href"] or "")
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
            begin = beginning_of(node)
            self._left_out.append(f"{kind}: {begin[:50]}{'...' if len(begin) > 50 else ''}")


def _little_in(root: Any) -> tuple[str | None, set[str]]:
    """The text and the tags of what is in a node, if it is as little as a mark; else None."""
    nodes = list(islice(_within(root), _MOST_IN_MARK + 1))
    text = "".join(node.text_content or "" for node in nodes if node.tag == "-text")
    little = len(nodes) <= _MOST_IN_MARK and len(text) <= _LONGEST_MARK
    return (text if little else None), {node.tag for node in nodes}


def beginning_of(root: Any) -> str:
    """The beginning of the text in a node, with single spaces; all of it where it is as long as a title."""
    texts = (node.text_content or "" for node in islice(_within(root), 100) if node.tag == "-text")
    return " ".join("".join(text[:1000] for text in texts).split())


def _within(root: Any) -> Iterator[Any]:
    """All that is in a node, in order."""
    left = [root.child]
    while left:
        node = left.pop()
        if node is not None:
            yield node
            left += [node.next, node.child]
