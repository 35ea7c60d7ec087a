"""Plots of two figures against each other: points with names, and lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from alrakis.bench.record.drawing import LETTER, NARROW, Drawing, log_ticks, shortened, ticks

_LEFT, _RIGHT, _HEAD, _FOOT = 44, 16, 40, 38
_LINE = 15  # between names that would lie over each other


@dataclass(frozen=True)
class Point:
    """x, y: its figures. role: gives its colour. best: its name is marked."""

    label: str
    x: float
    y: float
    role: str
    best: bool = False


@dataclass(frozen=True)
class Line:
    """points: from left to right; x is above 0."""

    label: str
    points: Sequence[tuple[float, float]]
    role: str


def point_plot(
    points: Sequence[Point], width: int, x_title: str, y_title: str, limit: tuple[float, str]
) -> Markup:
    """Points over a logarithmic x and a y in per cent, up to 100. limit: an x, and what it is called."""
    height = 300 if width > NARROW else 330
    drawing = Drawing(width, height)
    low = min([point.x for point in points] + [limit[0]]) / 1.25
    high = max([point.x for point in points] + [limit[0]]) * 1.6
    bottom = min(95.0, math.floor((min(point.y for point in points) - 2) / 5) * 5)
    wide, tall = width - _LEFT - _RIGHT, height - _HEAD - _FOOT

    def place(x: float, y: float) -> tuple[float, float]:
        across = math.log(x / low) / math.log(high / low)
        return _LEFT + wide * across, _HEAD + tall * (100 - y) / (100 - bottom)

    foot = _HEAD + tall
    for tick in log_ticks(low, high):
        x, _ = place(tick, 100)
        drawing.line(x, _HEAD, x, foot, "grid")
        drawing.text(x, foot + 16, f"{tick:g}", "axis", "middle")
    step = 5 if 100 - bottom <= 30 else 10 if 100 - bottom <= 60 else 20
    for percent in range(100, int(bottom) - 1, -step):
        _, y = place(low, percent)
        drawing.line(_LEFT, y, width - _RIGHT, y, "grid")
        drawing.text(_LEFT - 6, y + 4, f"{percent}%", "axis", "end")
    line, _ = place(limit[0], 100)
    drawing.line(line, _HEAD, line, foot, "limit")
    drawing.text(line, _HEAD - 8, limit[1], "limit", "middle")
    drawing.text(width - _RIGHT, foot + 34, x_title, "axis", "end")
    drawing.text(0, 11, y_title, "axis")
    _draw_points(drawing, [(point, *place(point.x, point.y)) for point in points], line)
    return drawing.svg()


def _draw_points(drawing: Drawing, placed: Sequence[tuple[Point, float, float]], line: float) -> None:
    """Points, and their names where they lie over nothing; a name far away has a line to its point."""
    taken = [(x - 7, y - 7, x + 7, y + 7) for _, x, y in placed] + [(line - 1, 0, line + 1, drawing.height)]
    inside = _LEFT, _HEAD - 10.0, drawing.width, drawing.height - _FOOT
    for point, x, y in sorted(placed, key=lambda item: (item[1], item[2])):
        for share in (0.5, 0.38):  # of the width; a shorter name may fit where a longer one does not
            words = shortened(point.label, share * drawing.width)
            room = _room(x, y, (len(words) + 0.5) * LETTER, line, inside, taken)
            if room is not None:
                break
        left, foot, far = room or (x + 11, y + 4.5, False)
        taken.append((left, foot - 12, left + len(words) * LETTER, foot + 3))
        if far:
            drawing.line(x, y, x, foot - 11 if foot > y else foot + 3, "grid")
        drawing.text(left, foot, words, "name best" if point.best else "name")
    for point, x, y in placed:
        drawing.dot(x, y, 6, point.role)


Box = tuple[float, float, float, float]  # left, top, right, bottom


def _room(
    x: float, y: float, length: float, line: float, inside: Box, taken: Sequence[Box]
) -> tuple[float, float, bool] | None:
    """Where a name of this length may stand: its left end, its foot, and whether it is far from its point.

    None if there is no such place.
    """
    feet = [y + sign * (23 + _LINE * n) + 6 for n in range(10) for sign in (1, -1)]
    middle = min(max(inside[0], x - length / 2), inside[2] - length)
    places = [(x + 11, y + 4.5, False), (x - 11 - length, y + 4.5, False)]
    if abs(x - line) < length + 11:  # the line is where its name would be
        sides = (line + 8, line - 8 - length)
        places += [(left, foot, False) for foot in (y + 4.5, *feet[:4]) for left in sides]
    places += [(middle, foot, True) for foot in feet]
    for left, foot, far in places:
        box = left, foot - 12, left + length, foot + 3
        if _within(box, inside) and not any(_overlap(box, one) for one in taken):
            return left, foot, far
    return None


def _within(box: Box, outer: Box) -> bool:
    return box[0] >= outer[0] and box[1] >= outer[1] and box[2] <= outer[2] and box[3] <= outer[3]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def line_plot(lines: Sequence[Line], width: int, x_title: str, unit: str) -> Markup:
    """Lines from 0 up over an x that is logarithmic, and has a tick at each figure that is there."""
    names = max(len(line.label) for line in lines) * LETTER + 16
    right = min(names, width / 2.2)
    height = max(260.0, _HEAD + _FOOT + _LINE * len(lines))
    drawing = Drawing(width, height)
    top = max(y for line in lines for _, y in line.points) * 1.05
    counts = sorted({x for line in lines for x, _ in line.points})
    wide, tall = width - _LEFT - right, height - _HEAD - _FOOT
    span = math.log(counts[-1] / counts[0]) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + wide * math.log(x / counts[0]) / span, _HEAD + tall * (1 - y / top)

    foot = _HEAD + tall
    for tick in ticks(top):
        _, y = place(counts[0], tick)
        drawing.line(_LEFT, y, _LEFT + wide, y, "grid")
        drawing.text(_LEFT - 6, y + 4, f"{tick:g}", "axis", "end")
    for count in counts:
        drawing.text(place(count, 0)[0], foot + 16, f"{count:g}", "axis", "middle")
    drawing.text(0, 11, unit, "axis")
    drawing.text(_LEFT, foot + 34, x_title, "axis")
    last = -math.inf
    for line in sorted(lines, key=lambda line: -line.points[-1][1]):
        places = [place(*point) for point in line.points]
        drawing.path(places, f"way {line.role}")
        for x, y in places:
            drawing.dot(x, y, 4, line.role)
        x, y = places[-1]
        last = max(y + 4.5, last + _LINE)  # names are as far apart as they are high
        drawing.text(x + 10, last, shortened(line.label, right - 12), "name")
    return drawing.svg()
