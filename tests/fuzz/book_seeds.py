"""True books, lexicons, covers, titles and cues to damage."""

import io
from pathlib import Path

import numpy as np

from tests.books.epubs import HOSTILE, PAGES, epub
from tests.fuzz.cases import case_folder

TEXT = """\
MAN: Dr. No paid $1,250.50 on May 3, 2021 — “what a day!” he said. [laughs] ♪ La la ♪

WOMAN: 10:30 a.m. (at least)… 今天，很好。 क्या हुआ। Привет! No. 5 is 1/2 kg; NASA's 20°C.
"""

LEXICON = """\
[words]
Hermione = "her my oh nee"
"Dr. Who" = "Doctor Hermione"
[patterns]
'(\\d+) ?kr' = '\\1 crowns'
[language.de.words]
Boot = "Boht"
[speaker.MAN.words]
hello = "howdy"
"""
NCX = (
    '<ncx><navMap><navPoint><navLabel><text>One</text></navLabel><content src="b.xhtml#x"/></navPoint>'
    '<navPoint><navLabel><text>Two</text></navLabel><content src="c.xhtml"/></navPoint></navMap></ncx>'
)
NAV = (
    '<html><body><nav><ol><li><a href="b.xhtml">One</a></li><li><a href="c.xhtml">2</a></li></ol></nav>'
    "</body></html>"
)
ITEMS = (
    '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
    '<item id="cover" href="c.png" properties="cover-image" media-type="image/png"/>'
)
HTML = """\
<!DOCTYPE html><html lang="en"><head><title>T</title><meta charset="utf-8"></head><body>
<h1>Part</h1><h2>One</h2><p>a<sup>2</sup> <ruby>b<rt>c</rt></ruby> <a role="doc-noteref" href="#n">1</a></p>
<ul><li>x<li>y</ul><dl><dt>t<dd>d</dl><table><tr><th>h<td>d</table><pre>code</pre><script>1</script>
<h2>Two</h2><blockquote>q</blockquote><aside role="doc-footnote" id="n">note</aside></body></html>
"""
MARKDOWN = """\
---
title: A
author: "B"
lang: en
---
# One

Some *text*[^1] and `code` <b>html</b> [link](http://x "t") ![picture](y).

| a | b |
|---|---|
| 1 | 2 |

> quote
> - list
>   1. deeper

```py
code
```

## Two
***

[^1]: Note
    goes on
[r]: http://x
"""
PLAIN = "Chapter 1\n\nA.\r\n\r\nPART TWO: Of much\n\nB.\n\n第三章 中\n\nPrologue\n\f* * *\n\nC.\n"


def write_book_seeds(root: Path) -> None:
    """Write the cases of the readers of books, and of what is written around their audio."""
    _epubs(root)
    (case_folder(root, "HTML", "page") / "book.html").write_text(HTML)
    (case_folder(root, "HTML", "chapter") / "book.html").write_text(PAGES["b.xhtml"])
    (case_folder(root, "Markdown", "all") / "book.md").write_text(MARKDOWN)
    (case_folder(root, "plain text", "chapters") / "book.txt").write_text(PLAIN)
    (case_folder(root, "plain text", "text") / "book.txt").write_text(TEXT)
    (case_folder(root, "lexicon", "all") / "names.toml").write_text(LEXICON)
    for kind in ("png", "jpg"):
        (case_folder(root, "cover", kind) / "cover").write_bytes(picture(kind))
    for name in ("marks", "subtitles"):
        (case_folder(root, name, "lines") / "lines").write_text(TEXT + PLAIN)


def _epubs(root: Path) -> None:
    more = {"OEBPS/toc.ncx": NCX, "OEBPS/nav.xhtml": NAV, "OEBPS/c.png": picture("png")}
    (case_folder(root, "EPUB", "whole") / "book.epub").write_bytes(epub(more=more, items=ITEMS))
    (case_folder(root, "EPUB", "plain") / "book.epub").write_bytes(epub())
    for name in ("entities in a page", "leaves by a page", "another encoding"):
        (case_folder(root, "EPUB", name) / "book.epub").write_bytes(HOSTILE[name][0])


def picture(kind: str) -> bytes:
    """A picture of a few points."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="image2pipe") as container:
        stream = container.add_stream("png" if kind == "png" else "mjpeg", rate=1)
        stream.width, stream.height = 16, 8
        stream.pix_fmt = "rgb24" if kind == "png" else "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.arange(384, dtype=np.uint8).reshape(8, 16, 3), "rgb24")
        for packet in [*stream.encode(frame.reformat(format=stream.pix_fmt)), *stream.encode(None)]:
            container.mux(packet)
    return file.getvalue()
