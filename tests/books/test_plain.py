"""Plain text: which lines are headings."""

import pytest

from alrakis.books.plain import plain_blocks


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
    ],
)
def test_headings(line: str) -> None:
    assert [block.level for block in plain_blocks(f"a\n\n{line}\n\nb")] == [0, 1, 0]


@pytest.mark.parametrize(
    "line",
    ["Chapter 1\nand more", "Chapter one was long, and so it went on.", "Part of it is here.", "I"],
)
def test_what_is_no_heading(line: str) -> None:
    assert [block.level for block in plain_blocks(line)] == [0]
