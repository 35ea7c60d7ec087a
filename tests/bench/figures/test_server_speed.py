"""The figures of a server."""

from alrakis.bench.figures.server_speed import measure_serving


def test_requests_are_timed_in_turn() -> None:
    figures = measure_serving("synthetic-tiny", "cpu-fp32", 1, requests=3, text_s=0.2, rounds=1)
    assert figures.audio_s > 0
    assert figures.gain > 0
    assert figures.late > 0
    assert figures.first > 0
