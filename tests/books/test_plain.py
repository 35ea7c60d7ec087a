"""Plain text: which lines are headings."""

import pytest

from alrakis.books.plain import MOST_PARAGRAPHS, gutenberg_text, plain_blocks
from alrakis.errors import InputError


@pytest.mark.parametrize(
    "line",
    [
        "Chapter 1",
        "CHAPTER IV. The Whale",
        "Part Two: Home",
        "Prologue",
        "Kapitel 3",
        "第三章 開始",
        "Act II",
        "Erstes Kapitel",
        "CHAPTER THE FIRST",
    ],
)
def test_headings(line: str) -> None:
    assert [block.level for block in plain_blocks(f"a\n\n{line}\n\nb", "a.txt")] == [0, 1, 0]


@pytest.mark.parametrize(
    "line",
    ["Chapter 1\nand more", "Chapter one was long, and so it went on.", "Part of it is here.", "I"],
)
def test_what_is_no_heading(line: str) -> None:
    assert [block.level for block in plain_blocks(line, "a.txt")] == [0]


def levels(text: str) -> list[tuple[str, int]]:
    return [(block.text, block.level) for block in plain_blocks(text, "a.txt")]


@pytest.mark.parametrize(
    ("lines", "heading"),
    [
        ("CHAPTER I.\nDown the Rabbit-Hole", "CHAPTER I. Down the Rabbit-Hole"),
        ("Chapter 1\n  MY EARLY HOME", "Chapter 1. MY EARLY HOME"),
        ("Chapter 2:\n“Stay!”", "Chapter 2. “Stay!”"),
    ],
)
def test_a_heading_and_its_title_below(lines: str, heading: str) -> None:
    assert levels(f"a\n\n{lines}\n\nb") == [("a", 0), (heading, 1), ("b", 0)]


def test_numbers_are_headings_where_they_count() -> None:
    assert levels("I\n\na\n\nII.\n\nb\n\n...") == [("I", 1), ("a", 0), ("II.", 1), ("b", 0), ("...", 0)]
    assert levels("1\n\na\n\n2\n\nb") == [("1", 1), ("a", 0), ("2", 1), ("b", 0)]
    assert levels("I\n\na\n\nIV\n\nb") == [("I", 0), ("a", 0), ("IV", 0), ("b", 0)]


def test_a_list_of_chapters_is_not_read() -> None:
    lines = "\n".join(f"CHAPTER {number}.  A title" for number in range(1, 5))
    apart = "\n\n".join(f"Chapter {number}" for number in range(1, 5))
    for listed in (lines, apart):
        found = levels(f"CONTENTS\n\n{listed}\n\nChapter 1\n\na\n\nChapter 2\n\nb")
        assert found == [("Chapter 1", 1), ("a", 0), ("Chapter 2", 1), ("b", 0)]


def test_what_project_gutenberg_puts_around_a_text() -> None:
    text = (
        "The Project Gutenberg eBook of X\n\nTitle: X\nAuthor: Ann\n\n"
        "*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\nHello.\n\n"
        "*** END OF THE PROJECT GUTENBERG EBOOK X ***\n\nA licence."
    )
    inner, facts = gutenberg_text(text)
    assert inner.strip() == "Hello."
    assert facts == {"Title": "X", "Author": "Ann"}
    assert gutenberg_text("Hello.") == ("Hello.", {})


def test_more_paragraphs_than_a_book_has() -> None:
    with pytest.raises(InputError, match=r"a\.txt has more than 300000 paragraphs"):
        plain_blocks("a\n\n" * (MOST_PARAGRAPHS + 1), "a.txt")
    assert len(plain_blocks("a\n\n" * (MOST_PARAGRAPHS - 1), "a.txt")) == MOST_PARAGRAPHS - 1


def test_very_many_numbers_are_counted_once() -> None:
    """Each was looked for among all."""
    blocks = plain_blocks("\n\n".join(f"{number}\n\na" for number in range(1, 140_000)), "a.txt")
    assert sum(block.level for block in blocks) == 139_999
