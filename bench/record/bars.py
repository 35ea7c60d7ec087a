"""Bar charts as SVG that is part of an HTML page.

Their colours are CSS variables of the page, so they follow its light or dark scheme. A chart is drawn in the
width it is shown in, because a wide chart on a phone could not be read.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alrakis.files.printable import printable

WIDE, NARROW = 660, 300  # pixels
STAGE_ROLES = ("stage-1", "stage-2", "stage-3", "stage-4", "stage-5", "stage-6", "rest")
_ROLES = ("ink", "muted", "rule", "ours", "peer", "limit", *STAGE_ROLES)
# matplotlib draws each role in a colour of its own, which is replaced by the role's variable afterwards
_STAND_INS = {role: f"#0a0b{number:02x}" for number, role in enumerate(_ROLES)}
_ROW, _BAR, _BOTTOM, _RIGHT = 42, 14, 24, 70  # pixels: a bar with its label, a bar alone, margins
_LETTER = 6.6  # pixels: the width of a letter of a label


@dataclass(frozen=True)
class Bar:
    """parts: lengths from left to right, each with the role of its colour. spread: quartiles."""

    label: str
    parts: tuple[tuple[float, str], ...]
    value: str
    spread: tuple[float, float] | None = None

    @property
    def length(self) -> float:
        return sum(length for length, _ in self.parts)


def bar_chart(bars: Sequence[Bar], width: int, name: str, limit: tuple[float, str] | None = None) -> str:
    """An `<svg>` element of horizontal bars, one below the other.

    width: in pixels. name: unique in the page; every id in the chart starts with it. limit: where a vertical
    line is drawn, and its label.
    """
    top = 18 if limit else 4
    height = top + _ROW * len(bars) + _BOTTOM
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": name, "text.parse_math": False, "font.size": 12}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        figure.patch.set_visible(False)
        room = (1 / width, _BOTTOM / height, 1 - _RIGHT / width, 1 - (top + _BOTTOM) / height)
        axes = figure.add_axes(room)
        _draw(axes, bars, width, limit)
        file = io.BytesIO()
        figure.savefig(file, format="svg", transparent=True)
    return _for_page(file.getvalue().decode(), name)


def _draw(axes: Axes, bars: Sequence[Bar], width: int, limit: tuple[float, str] | None) -> None:
    longest = max([bar.length for bar in bars] + [bar.spread[1] for bar in bars if bar.spread])
    if limit:
        longest = max(longest, limit[0])
    axes.set_xlim(0, longest or 1)
    axes.set_ylim(len(bars), 0)
    _frame(axes)
    for row, bar in enumerate(bars):
        middle = row + 1 - 0.8 * _BAR / _ROW
        left = 0.0
        for length, role in bar.parts:
            axes.barh(middle, length, _BAR / _ROW, left=left, color=_STAND_INS[role], linewidth=0)
            left += length
        if bar.spread:
            axes.plot(
                bar.spread, (middle, middle), color=_STAND_INS["ink"], linewidth=1.2, solid_capstyle="butt"
            )
        label = _shortened(bar.label, int(width / _LETTER))
        axes.text(0, row + 0.33, label, color=_STAND_INS["ink"], va="baseline")
        end = max(bar.length, bar.spread[1] if bar.spread else 0)
        axes.annotate(
            bar.value,
            (end, middle),
            (5, 0),
            textcoords="offset points",
            color=_STAND_INS["ink"],
            va="center",
            fontweight="bold",
            annotation_clip=False,
        )
    if limit:
        _draw_limit(axes, *limit, longest)


def _draw_limit(axes: Axes, where: float, called: str, longest: float) -> None:
    axes.axvline(where, color=_STAND_INS["limit"], linewidth=1.2, linestyle=(0, (4, 3)))
    side = "left" if where < longest / 2 else "right"
    axes.annotate(
        called,
        (where, 0),
        (3 if side == "left" else -3, 4),
        textcoords="offset points",
        color=_STAND_INS["limit"],
        ha=side,
        annotation_clip=False,
    )


def _frame(axes: Axes) -> None:
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.yaxis.set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(axis="x", length=0, labelcolor=_STAND_INS["muted"], labelsize=11)
    axes.xaxis.grid(True, color=_STAND_INS["rule"], linewidth=1)
    axes.set_axisbelow(True)


def _shortened(text: str, letters: int) -> str:
    text = printable(text)
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _for_page(svg: str, name: str) -> str:
    """Turn an SVG file into an element of a page, with unique ids and the page's colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}-", svg)
    opening, inside = svg.split(">", 1)
    opening = re.sub(r' (width|height|version|xmlns(:xlink)?)="[^"]*"', "", opening)
    svg = f'{opening} aria-hidden="true" focusable="false">{inside}'
    for role, colour in _STAND_INS.items():
        svg = svg.replace(colour, f"var(--{role})")
    svg = re.sub(r" ?font-family: [^;\"]*;", "", svg)
    return re.sub(r"font: ([^;'\"]*px) '[^;\"]*", r"font: \1 var(--font)", svg)  # older matplotlibs
