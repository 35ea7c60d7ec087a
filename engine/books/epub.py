"""EPUB books: what is read aloud of them, in the order of the spine.

A zip of other people's: nothing is unpacked to the disk, no more is read than a book has, and names that lead
out of it are refused. Books that are locked (DRM) are refused.
"""

import posixpath
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from urllib.parse import unquote

from alrakis.books.book import Block, Book, Choices, chapters_of
from alrakis.books.html import beginning_of, decode, html_blocks, parse_page
from alrakis.books.safe_xml import Element, check_xml, read_xml
from alrakis.errors import InputError
from alrakis.files.zips import open_zip, read_member

MOST_BYTES = 512 << 20  # of the file: pictures are not read
_MOST_FILES = 20_000
_MOST_TAGS = 1_000_000  # of all pages
_MOST_TABLES = 10  # of contents
_MOST_FILE_BYTES = 8 << 20
_MOST_TEXT_BYTES = 64 << 20
_MOST_COVER_BYTES = 8 << 20
_DEEPEST = 20  # of contents
_BROKEN = (  # what zipfile says of zips that are none
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
_CONTAINER = "META-INF/container.xml"
_LOCKS = "META-INF/encryption.xml"
_NCX = "application/x-dtbncx+xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_PICTURES = ("image/jpeg", "image/jpg", "image/png")


def read_epub(data: bytes, name: str, choices: Choices) -> Book:
    """The book in an EPUB. Raises InputError."""
    try:
        with open_zip(data) as file:
            return _Epub(file, name).book(choices)
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"{name} is not a whole EPUB: {error or type(error).__name__}") from None


@dataclass(frozen=True)
class Entry:
    """A line of a book's contents: where it leads, what it is called, and how deep it stands, from 1."""

    href: str
    title: str
    depth: int

    @property
    def anchor(self) -> str:
        """The place in a page that it leads to, "" for its beginning."""
        return unquote(self.href.partition("#")[2])


class _Epub:
    def __init__(self, file: zipfile.ZipFile, name: str) -> None:
        self._file = file
        self._name = name
        self._left, self._tags_left = _MOST_TEXT_BYTES, _MOST_TAGS
        entries = file.infolist()
        if len(entries) > _MOST_FILES:
            raise InputError(f"{name} holds {len(entries)} files; a book of up to {_MOST_FILES} is read")
        for entry in entries:
            if self._leaves(entry.filename):
                raise InputError(f"{name} holds {entry.filename!r:.80}, a name that leads out of the book")
        self._names = {entry.filename: entry for entry in entries}

    @staticmethod
    def _leaves(path: str) -> bool:
        parts = path.replace("\\", "/").split("/")
        return ".." in parts or path.startswith(("/", "\\")) or ":" in parts[0]

    def book(self, choices: Choices) -> Book:
        root = read_xml(self._read(_CONTAINER), f"{_CONTAINER} of {self._name}")
        paths = [element.attributes.get("full-path", "") for element in root.all("rootfile")]
        if not paths:
            raise InputError(f"{self._name} names no package in {_CONTAINER}: it is no EPUB")
        path = self._inside("", paths[0])
        package = read_xml(self._read(path), f"{path} of {self._name}")
        items = {item.attributes.get("id", ""): item.attributes for item in package.all("item")}
        folder = posixpath.dirname(path)
        left_out: list[str] = []
        contents = self._contents(items, folder)
        pages = self._spine(package, items, folder)
        self._check_locks(pages)
        blocks: list[Block] = []
        for page in pages:
            blocks += self._page(page, contents.get(page, []), choices, left_out)
        title = package.first_text("title")
        return Book(
            chapters_of(blocks, title, self._name),
            title=title,
            author=package.first_text("creator"),
            language=package.first_text("language")[:2].lower(),
            cover=self._cover(package, items, folder),
            left_out=left_out,
        )

    def _spine(self, package: Element, items: dict[str, dict[str, str]], folder: str) -> list[str]:
        pages = []
        listed = {
            self._inside(folder, reference.attributes.get("href", "").split("#")[0])
            for reference in package.all("reference")
            if reference.attributes.get("type", "").lower() == "toc"
        }
        for reference in package.all("itemref"):
            item = items.get(reference.attributes.get("idref", ""))
            if item is None or reference.attributes.get("linear") == "no":
                continue
            if item.get("media-type") in _PAGES and not _is_nav(item):
                pages.append(self._inside(folder, item.get("href", "")))
        if not pages:
            raise InputError(f"{self._name} has no text: its spine names no page")
        others = [page for page in pages if page not in listed]  # a list of chapters is not read
        return list(dict.fromkeys(others or pages))

    def _check_locks(self, pages: list[str]) -> None:
        """Raises InputError where a page is encrypted; fonts may be, as nobody reads them."""
        if _LOCKS not in self._names:
            return
        root = read_xml(self._read(_LOCKS), f"{_LOCKS} of {self._name}")
        locked = {unquote(element.attributes.get("URI", "")) for element in root.all("CipherReference")}
        for page in pages:
            if page in locked:
                raise InputError(f"{self._name} is locked ({page} is encrypted): it cannot be read")

    def _page(self, path: str, entries: list[Entry], choices: Choices, left_out: list[str]) -> list[Block]:
        """The blocks of a page. It begins a chapter where the contents name it.

        Without a heading of its own it has the title that they say, and others at their places in it.
        """
        name = f"{path} of {self._name}"
        data = self._read(path)
        text = decode(data, name)
        self._tags_left -= text.count("<")
        if self._tags_left < 0:
            raise InputError(f"{self._name} has more than {_MOST_TAGS} tags; a book of up to that is read")
        check_xml(text, name)
        missed: list[str] = []
        blocks = html_blocks(text, name, choices, missed, xhtml=True)
        left_out += missed
        if not entries or not blocks:
            return blocks
        if blocks[0].level:
            return [replace(blocks[0], part=""), *blocks[1:]] if entries[0].depth == 1 else blocks
        depth = min(entry.depth for entry in entries)
        anchors = {
            entry.anchor: entry.title for entry in entries[1:] if entry.anchor and entry.depth == depth
        }
        if anchors and not any(block.level for block in blocks):
            blocks = html_blocks(text, name, choices, [], xhtml=True, anchors=anchors)
        return [Block("", part=entries[0].title), *blocks]

    def _contents(self, items: dict[str, dict[str, str]], folder: str) -> dict[str, list[Entry]]:
        """What the book's contents say of each file, the newer ones before the older."""
        contents: dict[str, list[Entry]] = {}
        tables = [item for item in items.values() if _is_nav(item) or item.get("media-type") == _NCX]
        for item in sorted(tables[:_MOST_TABLES], key=lambda item: not _is_nav(item)):
            path = self._inside(folder, item.get("href", ""))
            data, name = self._read(path), f"{path} of {self._name}"
            own: dict[str, list[Entry]] = {}
            for entry in read_ncx(data, name) if item.get("media-type") == _NCX else read_links(data, name):
                target = entry.href.split("#")[0]
                if target and entry.title:
                    own.setdefault(self._inside(posixpath.dirname(path), target), []).append(entry)
            contents = own | contents
        return contents

    def _cover(self, package: Element, items: dict[str, dict[str, str]], folder: str) -> bytes | None:
        marked = [item for item in items.values() if "cover-image" in item.get("properties", "").split()]
        for meta in package.all("meta"):
            if meta.attributes.get("name") == "cover" and meta.attributes.get("content") in items:
                marked.append(items[meta.attributes["content"]])
        for item in marked:
            entry = self._names.get(self._inside(folder, item.get("href", "")))
            if item.get("media-type") in _PICTURES and entry and entry.file_size <= _MOST_COVER_BYTES:
                return read_member(self._file, entry, _MOST_COVER_BYTES)[:_MOST_COVER_BYTES]
        return None

    def _inside(self, folder: str, href: str) -> str:
        """The name of a file in the book. Raises InputError for one outside it."""
        path = posixpath.normpath(posixpath.join(folder, unquote(href)))
        if self._leaves(path):
            raise InputError(f"{self._name} names {href!r:.80}, which leads out of the book")
        as_written = posixpath.normpath(posixpath.join(folder, href))
        return as_written if path not in self._names and as_written in self._names else path

    def _read(self, path: str) -> bytes:
        entry = self._names.get(path)
        if entry is None:
            raise InputError(f"{self._name} has no {path}: it is no whole EPUB")
        if entry.flag_bits & 1:
            raise InputError(f"{self._name} is locked ({path} is encrypted): it cannot be read")
        most = min(_MOST_FILE_BYTES, self._left)
        data = read_member(self._file, entry, most)
        if len(data) > most:
            raise InputError(f"{path} of {self._name} unpacks to more than a book has ({most >> 20} MiB)")
        self._left -= len(data)
        return data


def _is_nav(item: dict[str, str]) -> bool:
    return "nav" in item.get("properties", "").split()


def read_links(data: bytes, name: str) -> list[Entry]:
    """The links of a page of contents, and what they are called. Raises InputError for broken XML."""
    text = decode(data, name)
    check_xml(text, name)
    page = parse_page(text, name)
    lists = page.css("nav")
    own = next((nav for nav in lists if "toc" in (nav.attributes.get("epub:type") or "").split()), None)
    found = own or (lists[0] if lists else page.root)
    entries = []
    for link in found.css("a") if found is not None else []:
        depth, above = 0, link.parent
        for _ in range(4 * _DEEPEST):
            if above is None or depth == _DEEPEST:
                break
            depth += above.tag == "ol"
            above = above.parent
        entries.append(Entry(link.attributes.get("href") or "", beginning_of(link), max(depth, 1)))
    return entries


def read_ncx(data: bytes, name: str) -> list[Entry]:
    """The points of contents as EPUB 2 has them. Raises InputError for broken XML."""
    entries: list[Entry] = []
    left = [(element, 1) for element in read_xml(data, name).all("navMap")[:1]]
    while left:
        element, depth = left.pop()
        if element.name == "navPoint":
            own = [child for child in element.children if child.name != "navPoint"]
            href = next((child.attributes.get("src", "") for child in own if child.name == "content"), "")
            label = next((child for child in own if child.name == "navLabel"), Element(""))
            entries.append(Entry(href, label.first_text("text"), depth))
            depth += 1
        left += [(child, depth) for child in reversed(element.children)]
    return entries
