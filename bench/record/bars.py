"""Horizontal bars, one below the other, with what they are and what they say beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from alrakis.bench.record.drawing import LETTER, NARROW, Drawing, shortened, ticks

_BAR, _FOOT, _HEAD = 16, 22, 20
_LEFT = 178  # labels; where one is longer, and in narrow charts, they stand above their bars
_GAP = 6


@dataclass(frozen=True)
class Bar:
    """parts: lengths from left to right, each with the role that gives its colour; none of what failed.

    value: words beside it.

    note: more words, behind the value. interval: drawn as a stroke over the bar. best: it is marked.
    """

    label: str
    parts: tuple[tuple[float, str], ...]
    value: str
    note: str = ""
    interval: tuple[float, float] | None = None
    best: bool = False

    @property
    def length(self) -> float:
        return sum(length for length, _ in self.parts)

    @property
    def end(self) -> float:
        return max(self.length, self.interval[1] if self.interval else 0.0)


def bar_chart(
    bars: Sequence[Bar], width: int, limit: tuple[float, str] | None = None, unit: str = ""
) -> Markup:
    """An `<svg>` element. limit: where a vertical line is drawn behind the bars, and what it is called.

    unit: what the numbers on the axis are.
    """
    above = width <= NARROW or max(len(bar.label) for bar in bars) * LETTER > _LEFT - 14
    row, head = (47, _HEAD) if above else (30, _HEAD if limit else 4)
    drawing = Drawing(width, head + row * len(bars) + _FOOT)
    left = 0 if above else _LEFT
    right = max((_width(bar.value, bar.note) for bar in bars if bar.parts), default=0.0) + _GAP
    longest = max([bar.end for bar in bars] + ([limit[0]] if limit else [])) or 1.0
    scale = max(40.0, width - left - right) / longest
    foot = head + row * len(bars)
    for tick in ticks(longest, 4 if above else 6):
        x = left + scale * tick
        drawing.line(x, head, x, foot, "grid")
        drawing.text(x, foot + 16, f"{tick:g}", "axis", "middle" if tick else "start")
    if unit:
        drawing.text(width, foot + 16, unit, "axis", "end")
    line = left + scale * limit[0] if limit else None
    if limit and line is not None:
        anchor = "start" if line < width / 2 else "end"
        drawing.text(line + (0 if anchor == "start" else 3), head - 7, limit[1], "limit", anchor)
    for number, bar in enumerate(bars):
        top = head + row * number
        bar_top = top + (row - _BAR - 4 if above else (row - _BAR) / 2)
        if line is not None and bar.parts:
            drawing.line(line, bar_top - 5, line, bar_top + _BAR + 5, "limit")
        drawing.text(
            0,
            top + 18 if above else bar_top + 12.5,
            shortened(bar.label, width if above else left - 14),
            "name best" if bar.best else "name",
        )
        _draw_bar(drawing, bar, left, bar_top, scale, line)
    return drawing.svg()


def _draw_bar(drawing: Drawing, bar: Bar, left: float, top: float, scale: float, line: float | None) -> None:
    x = left
    for length, role in bar.parts:
        drawing.rect(x, top, max(scale * length, 0.5), _BAR, role)
        x += scale * length
    if bar.interval:
        low, high = (left + scale * end for end in bar.interval)
        drawing.line(low, top + _BAR / 2, high, top + _BAR / 2, "stroke")
    words = left + scale * bar.end + _GAP
    if line is not None and bar.parts and words - 3 < line < words + _width(bar.value, bar.note):
        words = line + _GAP  # the line runs through no figure
    drawing.text(words, top + 12.5, bar.value, "value best" if bar.best else "value")
    if bar.note:
        beside = words + (len(bar.value) + 1.5) * LETTER
        drawing.text(beside, top + 12.5, shortened(bar.note, drawing.width - beside), "note")


def _width(value: str, note: str) -> float:
    return (len(value) + 1 + (len(note) + 1.5 if note else 0)) * LETTER
