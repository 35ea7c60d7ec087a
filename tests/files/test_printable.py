"""Whatever a text holds, what is shown of it can be shown."""

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from alrakis.files.printable import printable, printable_lines

ALLOWED = {"\u200c", "\u200d"}  # joiners, without which Hindi is not Hindi


def shows(text: str) -> bool:
    return all(letter.isprintable() or letter in ALLOWED for letter in text)


def test_characters_of_all_kinds() -> None:
    for code in (*range(0x3100), *range(0xD780, 0x10000), *range(0x10000, sys.maxunicode, 89)):
        letter = chr(code)
        shown = printable(f"a{letter}b")
        assert shows(shown), hex(code)
        kept = letter.isprintable() or letter in ALLOWED
        assert (shown == f"a{letter}b") == kept, hex(code)
        if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp"):
            assert shown.startswith("a\\"), hex(code)


def test_what_becomes_of_them() -> None:
    assert printable("a\x1b[31mb\x9bc") == r"a\x1b[31mb\x9bc"
    assert printable("abc\u202e\u2066gnp.exe") == r"abc\u202e\u2066gnp.exe"
    assert printable("line\nline\r\t\0") == r"line\nline\r\t\x00"
    assert printable("full\u3000width\u00a0") == "full width "
    assert printable("क्\u200dष, 👩\u200d🚀") == "क्\u200dष, 👩\u200d🚀"
    assert printable(b"\xff".decode("utf-8", "surrogateescape")) == r"\udcff"
    assert printable(3) == "3"


@given(st.text())
def test_a_line_stays_a_line_and_lines_do_not_look_like_messages(text: str) -> None:
    assert shows(printable(text))
    assert printable(printable(text)) == printable(text)
    first, *others = printable_lines(text).split("\n")
    assert len(others) == text.count("\n")
    assert shows(first)
    assert all(shows(line) and line[:1] in ("", " ") for line in others)


def test_lines_that_are_indented_stay_as_they_are() -> None:
    assert printable_lines("a:\n  - b\nc\n") == "a:\n  - b\n  c\n"
