"""XML with limits."""

import pytest

from alrakis.books.safe_xml import check_xml, encoding_of, read_xml
from alrakis.errors import InputError


def test_elements_and_their_texts() -> None:
    root = read_xml(b"<a x='1'><p:b> one <c/> two</p:b><b>three</b></a>", "x")
    assert (root.name, root.attributes) == ("a", {"x": "1"})
    assert [" ".join(element.text.split()) for element in root.all("b")] == ["one two", "three"]
    assert root.first_text("b") == "one two"
    assert root.first_text("z") == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "broken XML"),
        (b"<a>", "broken XML"),
        (b"<a><b></a>", "line 1"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "/etc/passwd">]><a>&b;</a>', "entities"),
        (b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://x">%b;]><a/>', "entities"),
        (b"<a>" * 300 + b"</a>" * 300, "deeper"),
        (b"<?xml version='1.0' encoding='nothing'?><a/>", "XML"),
        (b"<a>&nbsp;</a>", "broken XML"),
        (b"<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>", "attributes of its own"),
    ],
)
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_xml(data, "x")


def test_text_between_many_elements_is_put_together_once() -> None:
    root = read_xml(b"<a>" + b"text between them, of some length<b/>" * 250_000 + b"</a>", "x")
    assert len(root.text) == 33 * 250_000


def test_pages_may_have_entities_of_html() -> None:
    check_xml("<a>&nbsp;&eacute;</a>", "x")
    check_xml("<?xml version='1.0' encoding='gbk'?><a>中</a>", "x")


def test_encodings() -> None:
    assert encoding_of(b"\xef\xbb\xbfa") == "utf-8"
    assert encoding_of(b"<?xml version='1.0' encoding='latin-1'?>") == "latin-1"
    assert encoding_of(b'<meta http-equiv="a" content="text/html; charset=koi8-r">') == "koi8-r"
    assert encoding_of(b"a") is None
