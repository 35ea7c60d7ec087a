"""Markdown: as HTML is read; notes are left out and named."""

from alrakis.books.book import Choices
from alrakis.books.markdown import front_matter, markdown_blocks

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
