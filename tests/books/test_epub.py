"""EPUB: chapters in the order of the spine; hostile ones are refused within a second and little memory."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from alrakis.books.book import Choices
from alrakis.books.epub import read_epub
from alrakis.errors import InputError
from tests.books.epubs import HOSTILE, NAV_ITEM, NCX_ITEM, epub, nav, ncx

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


def read(data: bytes) -> dict[str, str]:
    return {chapter.title: chapter.text for chapter in read_epub(data, "b.epub", Choices()).chapters}


def body(inner: str) -> str:
    return f'<html xmlns:epub="e"><head><title>x</title></head><body>{inner}</body></html>'


@pytest.mark.parametrize(
    "place", ['<p id="c{}">{}.</p>', '<a id="c{}"/><p>{}.</p>', '<a name="c{}"></a><p>{}.</p>']
)
def test_chapters_of_one_page_begin_where_the_contents_say(place: str) -> None:
    """Without headings; the page's name has a space, which is written as %20."""
    page = body("<p>Before.</p>" + "".join(place.format(number, number) for number in (1, 2, 3)))
    contents = ncx(
        "Foreword>a%20b.xhtml", *(f"Chapter {number}>a%20b.xhtml#c{number}" for number in (1, 2, 3))
    )
    found = read(epub({"a b.xhtml": page}, items=NCX_ITEM, more=contents))
    assert found == {"Foreword": "Before.", "Chapter 1": "1.", "Chapter 2": "2.", "Chapter 3": "3."}


def test_lists_of_pages_and_landmarks_are_no_contents() -> None:
    """A chapter in two files goes on in the second, which only the list of pages names."""
    pages = {
        "a.xhtml": body("<p>a</p>"),
        "a2.xhtml": body("<p id='p2'>more</p>"),
        "b.xhtml": body("<p>b</p>"),
    }
    lists = nav(
        '<nav epub:type="page-list"><ol><li><a href="a2.xhtml#p2">2</a></li></ol></nav>',
        '<nav epub:type="landmarks"><ol><li><a href="a.xhtml">Begin Reading</a></li></ol></nav>',
        '<nav epub:type="toc"><ol><li><a href="a.xhtml">A</a></li>'
        '<li><a href="b.xhtml">B</a></li></ol></nav>',
    )
    assert read(epub(pages, items=NAV_ITEM, more=lists)) == {"A": "a\n\nmore", "B": "b"}


def test_a_file_that_the_contents_name_begins_a_chapter_whatever_its_heading() -> None:
    pages = {
        "t.xhtml": body("<h1>The Book</h1><p>by Ann</p>"),
        "d.xhtml": body("<h1>Dedication</h1><p>To you.</p>"),
        "a.xhtml": body("<h3>One</h3><p>a</p>"),
        "s.xhtml": body("<h4>Section</h4><p>s</p>"),
        "b.xhtml": body("<h3>Two</h3><p>b</p>"),
    }
    lists = nav(
        '<nav epub:type="toc"><ol><li><a href="a.xhtml">1. One</a>'
        '<ol><li><a href="s.xhtml">Section</a></li></ol></li><li><a href="b.xhtml">2. Two</a></li></ol></nav>'
    )
    found = read(epub(pages, items=NAV_ITEM, more=lists))
    assert list(found) == ["The Book", "Dedication", "One", "Two"]
    assert found["One"] == "One.\n\na\n\nSection.\n\ns"


def test_a_page_that_lists_the_chapters_is_not_read() -> None:
    pages = {
        "toc.xhtml": body("<h1>Contents</h1><p><a href='a.xhtml'>A</a></p>"),
        "a.xhtml": body("<p>a</p>"),
    }
    guide = '<guide><reference type="toc" href="toc.xhtml"/></guide>'
    assert list(read(epub(pages, guide=guide)).values()) == ["a"]


def test_a_title_may_be_a_picture() -> None:
    page = body("<h1><img src='x.png' alt='Chapter One'/></h1><p>a<img alt='A cat'/></p>")
    assert read(epub({"a.xhtml": page, "b.xhtml": body("<h1>Two</h1><p>b</p>")})) == {
        "Chapter One": "Chapter One.\n\na",
        "Two": "Two.\n\nb",
    }


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gbk", "中文"),
        ("shift_jis", "日本語"),
        ("windows-1252", "“Café”"),
        ("koi8-r", "Привет"),
        ("utf-16", "Café"),
    ],
)
def test_encodings(encoding: str, text: str) -> None:
    page = f'<?xml version="1.0" encoding="{encoding}"?><html><body><p>{text}</p></body></html>'
    assert list(read(epub({"a.xhtml": page.encode(encoding)})).values()) == [text]


def test_names_that_are_written_with_percents_in_the_zip() -> None:
    package = (
        '<package><manifest><item id="a" href="a%20b.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    assert read(epub({}, package=package, more={"OEBPS/a%20b.xhtml": body("<p>a</p>")})) == {"b": "a"}


def test_two_chapters_of_one_title_stay_two() -> None:
    pages = {f"{name}.xhtml": body(f"<h1>Same</h1><p>{name}</p>") for name in "ab"}
    book = read_epub(epub(pages), "b.epub", Choices())
    assert [(chapter.title, chapter.text) for chapter in book.chapters] == [
        ("Same", "Same.\n\na"),
        ("Same", "Same.\n\nb"),
    ]


@pytest.mark.parametrize("locked", [True, False])
def test_a_book_with_locks_is_refused_unless_only_fonts_are(locked: bool) -> None:
    where = "OEBPS/a.xhtml" if locked else "OEBPS/font.otf"
    locks = (
        '<encryption xmlns="c" xmlns:enc="x"><enc:EncryptedData><enc:CipherData>'
        f'<enc:CipherReference URI="{where}"/></enc:CipherData></enc:EncryptedData></encryption>'
    )
    page = b"\x93\0\1" if locked else body("<p>a</p>")
    data = epub({"a.xhtml": page}, more={"META-INF/encryption.xml": locks})
    if not locked:
        assert list(read(data).values()) == ["a"]
        return
    with pytest.raises(InputError, match="locked"):
        read(data)


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


def test_more_tags_than_a_book_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page may have 300,000, and a small zip many pages."""
    pages = {f"{number}.xhtml": f"<p>{'<i/>' * 90}</p>" for number in range(12)}
    assert "".join(chapter.text for chapter in read_epub(epub(), "b.epub", Choices()).chapters)
    monkeypatch.setattr("alrakis.books.epub._MOST_TAGS", 1000)
    with pytest.raises(InputError, match=r"b\.epub has more than 1000 tags"):
        read_epub(epub(pages), "b.epub", Choices())


def test_points_within_points_of_the_contents_have_their_own_titles() -> None:
    """All that is in a point was looked through for each, however deep they lay in each other."""
    deep = 120
    ncx = "".join(
        f"<navPoint><navLabel><text>{i}</text></navLabel><content src='{'abc'[i % 3]}.xhtml'/>"
        for i in range(deep)
    )
    point = "<navPoint><content src='z.xhtml'/></navPoint>" * 20_000
    ncx = f"<ncx><navMap>{ncx}{point}{'</navPoint>' * deep}</navMap></ncx>"
    item = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    pages = {f"{letter}.xhtml": f"<p>{letter}</p>" for letter in "abc"}
    book = read_epub(epub(pages, more={"OEBPS/toc.ncx": ncx}, items=item), "b.epub", Choices())
    assert [chapter.title for chapter in book.chapters] == ["0", "1", "2"]
