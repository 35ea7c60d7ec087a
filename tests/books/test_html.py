"""HTML: what is read aloud of it, however it is nested or broken."""

import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.books.book import Choices
from alrakis.books.html import MOST_TAGS, decode, html_blocks, html_title
from alrakis.errors import InputError


def texts(page: str, **choices: object) -> list[str]:
    return [block.text for block in html_blocks(page, "p.html", Choices(**choices), [])]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<p>a <b>b</b>\n c</p>d", ["a b c", "d"]),
        ("<p>a</p><?xml-stylesheet href='x'?><p>b<?e></p>", ["a", "b"]),  # fuzzer's input HTML-4253
        ("<ul><li>a<li>b<ol><li>c</ol></ul>", ["a", "b", "c"]),
        ("<p>one<br>two", ["one\ntwo"]),
        ("a<script>x</script><style>y</style><nav>z</nav><!-- c -->b", ["ab"]),
        ("<p>a<sup><a href='#1'>1</a></sup> b<a href='#2'>[2]</a> c<a href='#b'>↩</a></p>", ["a b c"]),
        ("<p>2<sup>3</sup> and <a href='x'>a link</a></p>", ["23 and a link"]),
        (
            "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td></td><td>2</td></tr></table>",
            ["a, b.", "1, 2."],
        ),
        ("<ruby>漢<rt>kan</rt></ruby>", ["漢"]),
        ("<p hidden>a</p><p aria-hidden=true>b</p>c", ["c"]),
        ("<figure><img alt=x><figcaption>A cat</figcaption></figure>", ["A cat"]),
        ("a<hr>b", ["a", "* * *", "b"]),
        ("&amp; &lt;b&gt; &eacute;", ["& <b> é"]),
        ("<p>a<a href='#fn1'>1</a> b<a href='n.html#_ftn2'>[2]</a> c<a href='#n3'>*</a></p>", ["a b c"]),
        ("<p>Read <a href='#c6'>6</a> and <a href='x.html'>7</a></p>", ["Read 6 and 7"]),
        (
            "<p>a<span class='pagenum'>[Pg 12]</span> b<sup class='reference'><a href='#c'>[1]</a></sup></p>",
            ["a b"],
        ),
        ("<h2>One<span class='mw-editsection'>[<a href='e'>edit</a>]</span></h2>a", ["One", "a"]),
        ("<p>a<sup>[<a href='c'>citation needed</a>]</sup></p>", ["a"]),
        ("<p style='color: red; display:none'>a</p>b", ["b"]),
        ("<p>in&shy;ter&#8203;est</p>", ["interest"]),
        ("<p><span class='dropcap'>T</span>he end</p>", ["The end"]),
        ("<h1><img alt='One'></h1><p><img alt='no'>a</p>", ["One", "a"]),
    ],
)
def test_readings(page: str, said: list[str]) -> None:
    assert texts(page) == said


def test_headings_have_levels_and_titles_are_found() -> None:
    page = "<title>A &amp; B</title><h1>One\n more</h1><h3>x</h3>y"
    assert html_title(page) == "A & B"
    assert [(block.text, block.level) for block in html_blocks(page, "p", Choices(), [])] == [
        ("One more", 1),
        ("x", 3),
        ("y", 0),
    ]


def test_code_and_tables_are_named_when_they_are_left_out() -> None:
    left_out: list[str] = []
    html_blocks("<pre>if x:\n  y</pre><table><tr><td>1</table>", "p", Choices(tables="skip"), left_out)
    assert left_out == ["code: if x: y", "table: 1"]
    assert texts("<pre>if x:\n  y</pre>", code=True) == ["if x:\ny"]


@pytest.mark.parametrize(
    "note",
    [
        "<div class='footnote'><p>A note</p></div>",
        "<div class='footnotes'><ol><li>A note</ol></div>",
        "<section class='footnotes' role='doc-endnotes'><p>A note</p></section>",
        "<aside epub:type='footnote'>A note</aside>",
        "<div id='ftn1'><p>A note</p></div>",
        "<ol class='references'><li>A note</ol>",
    ],
)
def test_notes_are_named_and_not_read(note: str) -> None:
    left_out: list[str] = []
    assert [block.text for block in html_blocks(f"<p>a</p>{note}<p>b</p>", "p", Choices(), left_out)] == [
        "a",
        "b",
    ]
    assert left_out == ["notes: A note"]


def test_limits_and_encodings() -> None:
    with pytest.raises(InputError, match="tags"):
        texts("<b>" * (MOST_TAGS + 1))
    assert texts("<b>" * 19_000 + "a") == ["a"]
    assert decode('<meta charset="latin-1">é'.encode("latin-1"), "p").endswith("é")
    odd = ("nothing", "rot13", "zip", "punycode", "IDNA", "unicode_escape", "raw-unicode-escape")
    for data in (b"\xff", *(f"<meta charset={name}>-aa".encode() for name in odd)):
        with pytest.raises(InputError, match="convert it"):
            decode(data, "p")


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<b>" * 100_000 + "a", "deeper"),
        ("<div>" * 250_000 + "a", "deeper"),
        ("<!-- " + "</div>" * 100_000 + " -->" + "<div>" * 150_000, "deeper"),
        ("<q>" * 140_000 + "</cite>" * 140_000, "deeper"),
        (f"<p {' '.join(f'a{number}' for number in range(400_000))}>a", "attributes"),
        ("<p " + " ".join(f"a{number}='>'" for number in range(400_000)) + ">a", "attributes"),
    ],
)
def test_pages_that_would_take_quadratic_time(page: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        texts(page)


def test_what_is_in_marks_is_looked_at_once() -> None:
    assert texts("<p>" + "<sup>" * 15_000 + "a text") == ["a text"]
    assert texts("<p>a" + "<sup><a href=x>" * 6_000) == ["a"]


@pytest.mark.parametrize("style", ["b", "I", "font", "s", "code", "template"])
def test_few_styles_do_not_become_millions(style: str) -> None:
    """An open style begins anew in each paragraph: 10,000 in 10,000 would be 100 million."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    opened = "".join(f"<{style} x={number}>" for number in range(9_000))
    said = texts(f"<p>{opened}a</p>" + "<p>b" * 9_000)
    assert len(said) <= 9_001
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_styles_are_still_what_they_were() -> None:
    assert texts(
        "<p>a <I class='x>y'>b</i> <s>c</s><CODE>d</CODE> <tt/>e</p><template><p>f</p></template>g"
    ) == [
        "a b d e",
        "g",
    ]


@given(st.text(alphabet="<>/ab h1&;='\"!-p?", max_size=80))
def test_any_text_is_read(page: str) -> None:
    for text in texts(page):
        assert text == text.strip()
