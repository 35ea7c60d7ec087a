"""What counting costs: that it is measured, with steps of a real network and without."""

from alrakis.bench.figures.overhead import measure_overhead


def test_the_cost_of_counting_is_measured() -> None:
    figures = measure_overhead("synthetic-tiny", "cpu-fp32", 1)
    assert figures.step_s > 0
    assert 0 <= figures.own_s < figures.step_s
    assert figures.ratio > 0
