"""Kind: addresses. Their signs have names; what ends the sentence after them stays."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.text.english.addresses import say_address
from alrakis.text.english.saying import say_in_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("https://example.com", "example dot com"),
        (
            "(see http://example.org/a/b.html).",
            "(see example dot org slash ay slash bee dot aitch tee em ell).",
        ),
        (
            "https://example.com/?q=1&r=2#top",
            "example dot com slash question mark cue equals one and ar equals two hash top",
        ),
        ("www.example.com", "double-you double-you double-you dot example dot com"),
        ("Go to example.com. Now.", "Go to example dot com. Now."),
        ("example.com:8080", "example dot com colon eight thousand and eighty"),
        ("ann_b@example.co.uk", "ann underscore bee at example dot co dot you kay"),
        ("mailto:ann@example.com", "ann at example dot com"),
        ("README.md, notes.txt", "README dot em dee, notes dot tee ex tee"),
        ("/usr/bin/env", "slash usr slash bin slash env"),
        ("192.168.0.1", "one hundred and ninety-two dot one hundred and sixty-eight dot zero dot one"),
        ("HTTP://EXAMPLE.COM", "example dot com"),
        ("ftp://a.org, s3://bucket/key", "ay dot org, bucket slash key"),
        ("localhost:3000", "localhost colon three thousand"),
        ("bit.ly/abc", "bit dot ell why slash abc"),
        ("www.example.museum", "double-you double-you double-you dot example dot museum"),
        ("git@github.com:user/repo.git", "git at github dot com colon user slash repo dot git"),
        ("mailto:bob@example.com?subject=Hello", "bob at example dot com question mark subject equals Hello"),
        ("src/main.py, ~/notes.txt", "ess ar see slash main dot pee why, tilde slash notes dot tee ex tee"),
        ("report.PDF", "report dot pee dee eff"),
        ("10.0.0.0/8", "ten dot zero dot zero dot zero slash eight"),
        ("fe80::1", "eff ee eight zero colon one"),
        (
            "00:1A:2B:3C:4D:5E",
            "zero zero colon one ay colon two bee colon three see colon four dee colon five ee",
        ),
        ("1234 N. Main St., NW", "twelve thirty-four North Main Street, en double-you"),
        ("Reno, NV 89501-1234", "Reno, en vee eight nine five zero one, one two three four"),
        ("and/or, he/she", "and or, he she"),
        ("The end.It was", "The end.It was"),
        ("e.g. this", "for example this"),
    ],
)
def test_readings(written: str, said: str) -> None:
    assert say_in_words(written) == said


NAMES = st.text(string.ascii_lowercase, min_size=3, max_size=8)


@given(
    st.lists(NAMES, min_size=1, max_size=3),
    NAMES,
    st.sampled_from(["com", "org", "net"]),
    st.sampled_from(".,!?;"),
)
def test_addresses_keep_their_words_and_the_sentence_its_end(
    path: list[str], name: str, domain: str, end: str
) -> None:
    address = f"{name}.{domain}/{'/'.join(path)}"
    said = say_in_words(f"See https://{address}{end}")
    assert said == f"See {say_address(address)}{end}"
    assert said.count(" slash ") == len(path)
    assert "://" not in said


@given(st.text(string.ascii_lowercase + string.digits + "/._-?=&#%~+:@", max_size=60))
def test_no_sign_of_an_address_is_left(rest: str) -> None:
    said = say_in_words(f"See https://example.com/x{rest}x and go")
    assert re.fullmatch(r"[A-Za-z ,-]+", said), said
    assert said.endswith(" and go")
