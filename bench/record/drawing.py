"""Drawings as SVG inside an HTML page, element by element.

An element has a class, and the page's style sheet gives it its colour: so drawings follow the page's light or
dark scheme. Lengths are in pixels of the width that a drawing is made for.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from alrakis.files.printable import printable

WIDE, NARROW = 640, 320  # widths that drawings are made for: a wide one on a phone could not be read
LETTER = 6.9  # the width of a letter, about: of 13 px


class Drawing:
    """An `<svg>` element under way."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[Markup] = []

    def rect(self, x: float, y: float, width: float, height: float, role: str) -> None:
        self._add(
            '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>',
            role,
            x,
            y,
            width,
            height,
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, role: str) -> None:
        self._add('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>', role, x1, y1, x2, y2)

    def dot(self, x: float, y: float, radius: float, role: str) -> None:
        self._add('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>', role, x, y, radius)

    def path(self, points: Sequence[tuple[float, float]], role: str) -> None:
        """A line through some points."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._add('<polyline class="{}" points="{}"/>', role, places)

    def text(self, x: float, y: float, words: str, role: str = "", anchor: str = "start") -> None:
        """Words on one line. y: of their foot. anchor: `start`, `middle` or `end`, which is at x."""
        form = '<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
        self._add(form, role, x, y, anchor, printable(words))

    def svg(self) -> Markup:
        """The element. What it shows stands in a table too, so readers aloud pass it by."""
        opening = '<svg viewBox="0 0 {:g} {:g}" aria-hidden="true" focusable="false">'
        return Markup("\n").join(
            [Markup(opening).format(self.width, self.height), *self._parts, Markup("</svg>")]
        )

    def _add(self, form: str, *values: object) -> None:
        self._parts.append(Markup(form.format(*map(_escaped, values))))


def _escaped(value: object) -> object:
    return escape(value) if isinstance(value, str) else value


def ticks(top: float, most: int = 5) -> list[float]:
    """Round numbers from 0 up to `top`, at most so many steps apart as 1, 2 or 5 times a power of ten."""
    if top <= 0:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(top / most))
    step = next(power * factor for factor in (1, 2, 5, 10) if top / (power * factor) <= most)
    return [number * step for number in range(int(top / step * (1 + 1e-9)) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Numbers of the form 1, 2 and 5 times a power of ten within a range."""
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    found = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return [number for number in found if low <= number <= high]


def shortened(words: str, width: float) -> str:
    """Words that fit into a width, the last ones left out if need be."""
    words, letters = printable(words), max(2, int(width / LETTER))
    return words if len(words) <= letters else f"{words[: letters - 1]}…"
