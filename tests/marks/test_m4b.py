"""m4b: AAC with chapters; an encoder's error is told."""

import io
from pathlib import Path

import av
import numpy as np

from alrakis.marks.m4b import write_m4b
from alrakis.marks.mark import Mark


def test_chapters_are_asked_for_at_the_end(tmp_path: Path) -> None:
    seen: list[int] = []
    target = io.BytesIO()

    def pieces():  # type: ignore[no-untyped-def]
        for length in (10_000, 30_000):
            seen.append(length)
            yield np.full(length, 0.1, np.float32)

    def marks() -> list[Mark]:
        assert seen == [10_000, 30_000]
        return [Mark("One", 0, 1)]

    write_m4b(target, tmp_path, pieces(), 24_000, {"title": "T"}, marks, None)
    target.seek(0)
    with av.open(target) as file:
        assert [mark["metadata"]["title"] for mark in file.chapters()] == ["One"]
        assert file.metadata["title"] == "T"
