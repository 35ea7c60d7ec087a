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


def test_more_brackets_than_a_book_has() -> None:
    """Each is tried as the beginning of a link: 200,000 took 8 s."""
    with pytest.raises(InputError, match="more than 50000 brackets"):
        markdown_blocks("[" * 50_001, "p.md", Choices(), [])
    assert len(markdown_blocks("[a](b)\n\n" * 2000, "p.md", Choices(), [])) == 2000
