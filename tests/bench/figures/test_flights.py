"""The figures of sequences in flight."""

from alrakis.bench.figures.flights import measure_flights


def test_texts_side_by_side_and_a_late_one_are_timed() -> None:
    figures = measure_flights(
        "synthetic-tiny", "cpu-fp32", 1, voices=3, slots=2, text_s=0.4, late_s=0.1, rounds=1
    )
    assert 1.0 < figures.audio_s < 1.4
    assert figures.gain > 0
    assert 0 < figures.late_alone_s < figures.alone_s
    assert figures.late > 0
