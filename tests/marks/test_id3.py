"""ID3 tags: their length is known before the times are."""

from alrakis.marks.id3 import id3_tag
from alrakis.marks.mark import Mark


def test_a_tag_keeps_its_length_when_times_become_known() -> None:
    fields = {"title": "T", "comment": "{}"}
    before = id3_tag(fields, [Mark("a", 0, 0), Mark("b", 0, 0)], b"\xff\xd8x")
    after = id3_tag(fields, [Mark("a", 0, 5.5), Mark("b", 5.5, 90_000)], b"\xff\xd8x")
    assert len(before) == len(after)
    assert before != after
    assert id3_tag({}) == b""
    assert b"image/jpeg" in before


def test_very_many_chapters_are_put_together_once() -> None:
    """fuzzer's input marks-1228: the tag was copied for each chapter"""
    titled = [Mark("A title of some length. " * 8, number, number + 1) for number in range(300_000)]
    assert len(id3_tag({}, titled)) > 300_000 * 120
