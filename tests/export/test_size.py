"""How much disk an export takes, and how far its bar will go, is known before."""

from pathlib import Path

import pytest

from alrakis.export.artifacts import part_heads
from alrakis.export.build import build_codec, build_stage
from alrakis.export.size import needed_bytes, progress_bytes
from alrakis.spec import STAGES
from alrakis.weights import open_weights
from tests.export.small import Small


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4"])
def test_disk_and_progress_are_known_before(precision: str, tmp_path: Path) -> None:
    for stage in STAGES:
        for name, weights in (("small", Small()), ("demo", open_weights("demo"))):
            part = weights.stage(stage)
            heads = part_heads(part, weights.layout)
            folder = tmp_path / f"{name}-{stage}"
            folder.mkdir()
            counts: list[int] = []
            build_stage(part, heads, precision, folder, progress=counts.append)
            taken = sum(path.stat().st_size for path in folder.iterdir())
            assert taken <= needed_bytes(part, precision) + 2**19  # graphs, paddings
            assert needed_bytes(part, precision) <= 1.3 * taken
            assert progress_bytes(part, heads, precision) == sum(counts)


def test_the_codec_s_disk_is_known_before(tmp_path: Path) -> None:
    codec = open_weights("demo").codec()
    build_codec(codec, tmp_path)
    taken = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert taken <= needed_bytes(codec, "fp32") + 2**19 <= 1.3 * taken
