"""Markdown: as HTML is read; notes are left out and named."""

import pytest

from alrakis.books.book import Choices
from alrakis.books.markdown import front_matter, markdown_blocks
from alrakis.errors import InputError

PAGE = """\
---
title: "A Book"
author: Ann
language: de
---
# One

Some *fine* `text`[^1] and ~~no~~ [link](http://x).

```python
x = 1
```

| a | b |
|---|---|
| 1 | 2 |

[^1]: A note
    of two lines.

***

- end
"""


def test_a_page() -> None:
    left_out: list[str] = []
    blocks = markdown_blocks(PAGE, "p.md", Choices(), left_out)
    assert [block.text for block in blocks] == [
        "One",
        "Some fine text and link.",
        "a, b.",
        "1, 2.",
        "* * *",
        "end",
    ]
    assert left_out == ["notes: [^1]: A note of two lines.", "code: x = 1"]
    assert front_matter(PAGE) == {"title": "A Book", "author": "Ann", "lang": "de"}
    assert front_matter("# One") == {}


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("+++\ntitle = 'X'\n+++\na", ["a"]),
        ("---\r\ntitle: X\r\n---\r\n# A\r\n\r\nb", ["A", "b"]),
        ("# A {#a .b}\n\nb {c}", ["A", "b {c}"]),
        ("- [ ] a\n- [x] b\n- [c] d", ["a", "b", "[c] d"]),
        ("> [!NOTE]\n> a", ["a"]),
        ("[TOC]\n\na", ["a"]),
        ("::: warning\na\n:::", ["a"]),
        ("a^[a note] b", ["a b"]),
        ("A\n===\n\na\n\nB\n---\nb", ["A", "a", "B", "b"]),
        ("<h2 align=center>A</h2>\n\na<br>b", ["A", "a\nb"]),
        ("![a cat](x.png) <!-- c --> a", ["a"]),
    ],
)
def test_flavours(page: str, said: list[str]) -> None:
    assert [block.text for block in markdown_blocks(page, "p.md", Choices(), [])] == said


def test_front_matter_in_other_forms() -> None:
    assert front_matter("+++\ntitle = 'X'\nauthor = \"Ann\"\n+++\na") == {"title": "X", "author": "Ann"}
    assert front_matter("---\r\ntitle: X\r\n---\r\na") == {"title": "X"}


def test_more_brackets_than_a_book_has() -> None:
    """Each is tried as the beginning of a link: 200,000 took 8 s."""
    with pytest.raises(InputError, match="more than 50000 brackets"):
        markdown_blocks("[" * 50_001, "p.md", Choices(), [])
    assert len(markdown_blocks("[a](b)\n\n" * 2000, "p.md", Choices(), [])) == 2000


@pytest.mark.parametrize("line", ["- a\n", "*a ", "`a", "> a\n", "a|"])
def test_more_lines_and_signs_than_a_book_has(line: str) -> None:
    """Each becomes up to 2 kB: 10 MB of a list took 5 GB."""
    with pytest.raises(InputError, match=r"p\.md has more than 200000 lines and signs"):
        markdown_blocks(line * 250_000, "p.md", Choices(), [])
