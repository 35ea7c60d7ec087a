"""EPUB books: what is read aloud of them, in the order of the spine.

A zip of other people's: nothing is unpacked to the disk, no more is read than a book has, and names that lead
out of it are refused. Books that are locked (DRM) are refused.
"""

import io
import posixpath
import struct
import zipfile
import zlib
from urllib.parse import unquote

from alrakis.books.book import Block, Book, Choices, chapters_of
from alrakis.books.html import decode, html_blocks
from alrakis.books.safe_xml import Element, check_xml, read_xml
from alrakis.errors import InputError

MOST_BYTES = 512 << 20  # of the file: pictures are not read
_MOST_FILES = 20_000
_MOST_FILE_BYTES = 8 << 20
_MOST_TEXT_BYTES = 64 << 20
_MOST_COVER_BYTES = 8 << 20
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
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_PICTURES = ("image/jpeg", "image/jpg", "image/png")


def read_epub(data: bytes, name: str, choices: Choices) -> Book:
    """The book in an EPUB. Raises InputError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return _Epub(file, name).book(choices)
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"{name} is not a whole EPUB: {error or type(error).__name__}") from None


class _Epub:
    def __init__(self, file: zipfile.ZipFile, name: str) -> None:
        self._file = file
        self._name = name
        self._left = _MOST_TEXT_BYTES
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
        titles = self._contents(package, items, folder)
        blocks: list[Block] = []
        for page in self._spine(package, items, folder):
            blocks += self._page(page, titles, choices, left_out)
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
        for reference in package.all("itemref"):
            item = items.get(reference.attributes.get("idref", ""))
            if item is None or reference.attributes.get("linear") == "no":
                continue
            if item.get("media-type") in _PAGES and "nav" not in item.get("properties", "").split():
                pages.append(self._inside(folder, item.get("href", "")))
        if not pages:
            raise InputError(f"{self._name} has no text: its spine names no page")
        return list(dict.fromkeys(pages))

    def _page(self, path: str, titles: dict[str, str], choices: Choices, left_out: list[str]) -> list[Block]:
        name = f"{path} of {self._name}"
        data = self._read(path)
        check_xml(data, name)
        blocks = html_blocks(decode(data, name), name, choices, left_out, xhtml=True)
        if path in titles and blocks and not blocks[0].level:
            return [Block("", part=titles[path]), *blocks]
        return blocks

    def _contents(self, package: Element, items: dict[str, dict[str, str]], folder: str) -> dict[str, str]:
        """Titles of files, as the book's contents name them; a file's first counts."""
        titles: dict[str, str] = {}
        for item in items.values():
            href, kind = item.get("href", ""), item.get("media-type")
            if "nav" in item.get("properties", "").split():
                path = self._inside(folder, href)
                links = read_links(self._read(path), f"{path} of {self._name}")
            elif kind == "application/x-dtbncx+xml":
                path = self._inside(folder, href)
                root = read_xml(self._read(path), f"{path} of {self._name}")
                links = [
                    (content.attributes.get("src", ""), point.first_text("text"))
                    for point in root.all("navPoint")
                    for content in point.all("content")[:1]
                ]
            else:
                continue
            for link, title in links:
                target = unquote(link.split("#")[0])
                if target and title:
                    titles.setdefault(self._inside(posixpath.dirname(path), target), title)
        return titles

    def _cover(self, package: Element, items: dict[str, dict[str, str]], folder: str) -> bytes | None:
        marked = [item for item in items.values() if "cover-image" in item.get("properties", "").split()]
        for meta in package.all("meta"):
            if meta.attributes.get("name") == "cover" and meta.attributes.get("content") in items:
                marked.append(items[meta.attributes["content"]])
        for item in marked:
            entry = self._names.get(self._inside(folder, item.get("href", "")))
            if item.get("media-type") in _PICTURES and entry and entry.file_size <= _MOST_COVER_BYTES:
                with self._file.open(entry) as opened:
                    return opened.read(_MOST_COVER_BYTES)
        return None

    def _inside(self, folder: str, href: str) -> str:
        """The name of a file in the book. Raises InputError for one outside it."""
        path = posixpath.normpath(posixpath.join(folder, unquote(href)))
        if self._leaves(path):
            raise InputError(f"{self._name} names {href!r:.80}, which leads out of the book")
        return path

    def _read(self, path: str) -> bytes:
        entry = self._names.get(path)
        if entry is None:
            raise InputError(f"{self._name} has no {path}: it is no whole EPUB")
        if entry.flag_bits & 1:
            raise InputError(f"{self._name} is locked ({path} is encrypted): it cannot be read")
        most = min(_MOST_FILE_BYTES, self._left)
        with self._file.open(entry) as opened:
            data = opened.read(most + 1)
        if len(data) > most:
            raise InputError(f"{path} of {self._name} unpacks to more than a book has ({most >> 20} MiB)")
        self._left -= len(data)
        return data


def read_links(data: bytes, name: str) -> list[tuple[str, str]]:
    """The links of a page, and what they are called. Raises InputError for broken XML."""
    from selectolax.lexbor import LexborHTMLParser

    check_xml(data, name)
    links = LexborHTMLParser(decode(data, name)).css("a")
    return [(link.attributes.get("href") or "", " ".join((link.text() or "").split())) for link in links]
