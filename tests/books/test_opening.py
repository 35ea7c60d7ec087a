"""Which reader a file gets, and books of plain text."""

import pytest

from alrakis.books.book import Chapter, Choices
from alrakis.books.opening import open_book, plain_book
from alrakis.errors import InputError
from tests.books.epubs import epub


def opened(data: bytes | str, name: str) -> list[str]:
    content = data.encode() if isinstance(data, str) else data
    return [chapter.title for chapter in open_book(content, name, Choices()).chapters]


def test_by_name_and_by_content() -> None:
    assert opened("# A\n\nx\n\n# B\n\ny", "b.md") == ["A", "B"]
    assert opened("<h1>A</h1>x<h1>B</h1>y", "b.HTML") == ["A", "B"]
    assert opened("# A\n\nx", "b.txt") == ["b"]
    assert opened("Chapter 1\n\nx\n\nChapter 2\n\ny", "b.txt") == ["Chapter 1", "Chapter 2"]
    assert opened(epub(), "standard input") == ["Chapter 1"]


def test_text_without_headings_stays_as_it_is() -> None:
    text = "One.\n* * *\n  Two.\n\n\nThree."
    assert open_book(text.encode(), "b.txt", Choices()).chapters == [Chapter("b", text)]


def test_a_name_that_is_no_unicode_makes_a_title() -> None:
    assert open_book(b"x", "a\udcffb.txt", Choices()).chapters[0].title == "a?b"
    assert open_book(b"x", "a\udcffb.md", Choices()).chapters[0].title == "a?b"


def test_languages_are_told() -> None:
    assert open_book(b"<html lang='de-AT'><p>a", "b.html", Choices()).language == "de"
    assert open_book(b"---\nlang: fr\n---\na", "b.md", Choices()).language == "fr"


@pytest.mark.parametrize("data", [b"", b" \n", b"a\0", b"\xff\xfe"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        open_book(data, "b.txt", Choices())
    with pytest.raises(InputError):
        plain_book(" ", "b")
