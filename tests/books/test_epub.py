"""EPUB: chapters in the order of the spine; hostile ones are refused within a second and little memory."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from alrakis.books.book import Choices
from alrakis.books.epub import read_epub
from alrakis.errors import InputError
from tests.books.epubs import HOSTILE, epub

PNG = b"\x89PNG\r\n\x1a\n rest"


def test_a_whole_book() -> None:
    nav = '<html><body><nav><ol><li><a href="c.xhtml#x">The <b>Third</b></a></li></ol></nav></body></html>'
    items = (
        '<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        '<item id="i" href="i.png" properties="cover-image" media-type="image/png"/>'
    )
    book = read_epub(
        epub(items=items, more={"OEBPS/nav.xhtml": nav, "OEBPS/i.png": PNG}), "b.epub", Choices()
    )
    assert (book.title, book.author, book.language, book.cover) == ("The Book", "Ann", "en", PNG)
    first, second = book.chapters
    assert first.title == "Chapter 1"
    assert first.text == ("Part One.\n\nChapter 1.\n\nHello there world, m2.\n\na, b.\n\n* * *\n\nMore")
    assert (second.title, second.text) == ("The Third", "No heading here.")
    assert book.left_out == ["code: x = 1", "notes: A note."]


def test_titles_come_from_an_old_table_of_contents_too() -> None:
    contents = (
        "<ncx><navMap><navPoint><navLabel><text>Last one</text></navLabel><content src='c.xhtml'/>"
        "</navPoint></navMap></ncx>"
    )
    items = '<item id="t" href="t.ncx" media-type="application/x-dtbncx+xml"/>'
    book = read_epub(epub(items=items, more={"OEBPS/t.ncx": contents}), "b.epub", Choices())
    assert [chapter.title for chapter in book.chapters] == ["Chapter 1", "Last one"]


def test_code_is_read_when_asked_and_tables_are_skipped() -> None:
    book = read_epub(epub(), "b.epub", Choices(code=True, tables="skip"))
    assert "x = 1" in book.chapters[0].text
    assert "a, b" not in book.chapters[0].text
    assert "table: a b" in book.left_out[0]


def test_pages_in_another_encoding() -> None:
    page = '<?xml version="1.0" encoding="iso-8859-1"?><html><body><p>Café</p></body></html>'
    book = read_epub(epub({"a.xhtml": page.encode("latin-1")}), "b.epub", Choices())
    assert book.chapters[0].text == "Café"


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_books_are_refused(kind: str) -> None:
    data, message = HOSTILE[kind]
    with pytest.raises(InputError, match=message):
        read_epub(data, "b.epub", Choices())


def test_a_locked_book_is_refused() -> None:
    data = bytearray(epub({"a.xhtml": "<p>x</p>"}))
    place = data.rindex(b"OEBPS/a.xhtml") - 46 + 8  # the flags of its entry in the directory
    data[place] |= 1
    with pytest.raises(InputError, match="locked"):
        read_epub(bytes(data), "b.epub", Choices())


def test_bombs_take_little_memory(tmp_path: Path) -> None:
    """A page that unpacks to a gigabyte, in a process that may have 200 MB more than it begins with."""
    path = tmp_path / "bomb.epub"
    path.write_bytes(epub({"a.xhtml": "<p>x</p>"}))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as file, file.open("OEBPS/b.xhtml", "w") as page:
        for _ in range(200):
            page.write(b" " * (1 << 20))
    whole = path.read_bytes().replace(b"OEBPS/a.xhtml", b"OEBPS/z.xhtml")
    path.write_bytes(whole.replace(b"OEBPS/b.xhtml", b"OEBPS/a.xhtml"))
    program = (
        "import resource, sys\n"
        "from alrakis.books.book import Choices\n"
        "from alrakis.books.opening import open_book\n"
        "import selectolax.lexbor\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    open_book(open(sys.argv[1], 'rb').read(), 'b.epub', Choices())\n"
        "except ValueError as error:\n"
        "    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    used, _, said = done.stdout.partition(" ")
    assert "unpacks to more" in said
    assert int(used) < 100
