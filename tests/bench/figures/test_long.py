"""The figures of long texts."""

import pytest

from alrakis.bench.figures.long import measure_long, measure_memory


def test_a_batch_of_chunks_is_timed_beside_chunks_alone() -> None:
    figures = measure_long("synthetic-tiny", "cpu-fp32", 1, chunks=2, chunk_s=0.4, alone=1)
    assert figures.audio_s == pytest.approx(0.8, abs=0.1)
    assert figures.wall_s[1] == 2 * figures.alone_s
    assert figures.wall_s[2] > 0
    assert figures.stream_s > 0


def test_memory_is_read_early_and_at_the_end() -> None:
    figures = measure_memory(
        "synthetic-tiny", "cpu-fp32", 1, minutes=2 / 60, early_minutes=1 / 60, chunk_s=0.5
    )
    assert 1 <= figures.early_s < figures.audio_s
    assert figures.growth_bytes == figures.peak_bytes - figures.early_bytes >= 0
