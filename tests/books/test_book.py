"""Blocks become chapters at headings; chapters are chosen by number."""

import pytest

from alrakis.books.book import Block, Book, chapters_of, parse_chapters
from alrakis.errors import InputError


def titles(*blocks: Block) -> list[str]:
    return [chapter.title for chapter in chapters_of(blocks, "Whole", "b.md")]


def test_chapters_begin_at_the_highest_headings_of_which_there_are_several() -> None:
    book = [
        Block("Title", 1),
        Block("a"),
        Block("One", 2),
        Block("b"),
        Block("x", 3),
        Block("c"),
        Block("Two", 2),
    ]
    assert titles(*book, Block("d")) == ["Title", "One", "Two"]
    parts = [Block("Part", 1), Block("One", 2), Block("a"), Block("Part 2", 1), Block("Two", 2), Block("b")]
    assert titles(*parts) == ["One", "Two"]
    assert titles(Block("Title", 1), Block("by"), *parts) == ["Title", "One", "Two"]
    assert titles(Block("a"), Block("One", 1), Block("b")) == ["Beginning", "One"]
    assert titles(Block("a")) == ["Whole"]
    assert [chapter.title for chapter in chapters_of([Block("a")], "", "dir/b.md")] == ["b"]


def test_headings_are_said_as_sentences() -> None:
    (chapter,) = chapters_of([Block("One", 1), Block("Why?", 2), Block("a b")], "", "b")
    assert chapter.text == "One.\n\nWhy?\n\na b"


def test_a_book_without_text_is_refused() -> None:
    with pytest.raises(InputError, match="b has no text"):
        chapters_of([Block("* * *")], "", "b")


def test_chapters_are_chosen() -> None:
    assert list(parse_chapters(None, 3)) == [1, 2, 3]
    assert list(parse_chapters("2", 3)) == [2]
    assert list(parse_chapters(" 2-3 ", 3)) == [2, 3]
    assert list(parse_chapters("2-", 3)) == [2, 3]


@pytest.mark.parametrize("choice", ["0", "4", "2-4", "3-2", "x", "", "-2", "1,2", "9" * 50])
def test_chapters_that_are_not_there(choice: str) -> None:
    with pytest.raises(InputError, match="chapter"):
        parse_chapters(choice, 3)


def test_titles_are_no_longer_than_titles_are() -> None:
    """A heading of 17 MB made a FLAC file that nothing could open; it is still read aloud whole."""
    long = "word " * 100_000
    (chapter,) = chapters_of([Block(long, 1), Block("a")], "", "b.md")
    assert chapter.text.startswith(long)
    book = Book([chapter], long, long)
    for title in (chapter.title, book.title, book.author):
        assert len(title) == 300
        assert title.endswith("…")
    assert Book([chapter], "x" * 300).title == "x" * 300
