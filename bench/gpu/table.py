"""What was measured, as a table in Markdown that can be posted as it is."""

from collections.abc import Iterator
from typing import Any

Row = tuple[str, ...]


def table(parts: list[dict[str, Any]]) -> str:
    """The parts' JSON as Markdown: the machine, then whole texts, steps, and whether the tokens are right."""
    figures = [(part["part"], part["size"], figure) for part in parts for figure in part["figures"]]
    by_name = {figure["name"]: figure["values"] for _, _, figure in figures}
    sections = [
        _about(by_name.get("environment", {}), by_name.get("ceilings", {})),
        _grid(("whole texts", "audio s", "RTF", "first RTF", "audio s a second", "MB"), _whole(figures)),
        _grid(("steps, passes", "first us", "us", "host us"), _steps(figures)),
        _grid(("traced", "kernels a step", "us", "busy us", "idle", "syncs"), _traced(figures)),
        _grid(("right?", "found"), _parity(figures)),
        _grid(("loading", "s", "MB"), _loads(figures)),
        _grid(("not measured", "why"), _errors(figures)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


Figures = list[tuple[str, str, dict[str, Any]]]


def _about(machine: dict[str, Any], ceilings: dict[str, Any]) -> str:
    if not machine:
        return ""
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items() if version)
    lines = [f"{machine.get('card', machine['cpu'])}; alrakis {machine['alrakis']}, {packages}"]
    lines += [", ".join(f"{name} {value}" for name, value in ceilings.items())] if ceilings else []
    return "\n".join(lines)


def _whole(figures: Figures) -> Iterator[Row]:
    for part, size, figure in figures:
        values = figure["values"]
        if part in ("whole", "peers") and "rtf" in values:
            speed = values.get("audio_s_a_second", round(1 / values["rtf"], 2))
            shown = (
                values["audio_s"],
                values["rtf"],
                values["first_rtf"],
                speed,
                values.get("reserved_mb", ""),
            )
            yield (f"{size}, {figure['name']}", *map(str, shown))
        elif "first_to_last" in values:
            words = f"{values['first_s']} s and {values['last_s']} s: {values['first_to_last']} times"
            yield (f"{size}, {figure['name']}", "", words, "", "", "")


def _steps(figures: Figures) -> Iterator[Row]:
    for part, size, figure in figures:
        values = figure["values"]
        if part not in ("steps", "compiled") or not ({"us", "ms"} & values.keys()):
            continue
        name = f"{size}, {figure['name']}"
        if "us" in values:
            yield (name, *(str(values[key]) for key in ("cold_us", "us", "host_us")))
        else:
            numbers = (values.get(key) for key in ("cold_ms", "ms", "host_ms"))
            yield (name, *("" if number is None else f"{1000 * number:.0f}" for number in numbers))


def _traced(figures: Figures) -> Iterator[Row]:
    for part, size, figure in figures:
        values = figure["values"]
        if part == "traced" and values:
            keys = ("kernels", "us", "busy_us", "idle_share", "syncs")
            yield (f"{size}, {figure['name']}", *(str(values.get(key, "")) for key in keys))


def _parity(figures: Figures) -> Iterator[Row]:
    for _, _, figure in figures:
        values = figure["values"]
        if "tokens_equal" in values:
            words = "the CPU's tokens" if values["tokens_equal"] else f"other tokens: {values['different']}"
            yield figure["name"], f"{words}; audio {values['audio_apart']:.1e} apart"
        elif "relative_error" in values:
            yield (
                figure["name"],
                f"{values['relative_error']:.1e} off; likeliest alike {values['likeliest_alike']:.0%}",
            )
        elif "summary" in values:
            yield figure["name"], "; ".join([values["summary"], *values.get("failed", [])])


def _loads(figures: Figures) -> Iterator[Row]:
    for _, size, figure in figures:
        values = figure["values"]
        if "s" in values:
            yield f"{size}, {figure['name']}", str(values["s"]), str(values.get("reserved_mb", ""))


def _errors(figures: Figures) -> Iterator[Row]:
    for part, size, figure in figures:
        if figure["error"]:
            yield f"{part}, {size}: {figure['name']}", figure["error"]


def _grid(head: Row, rows: Iterator[Row]) -> str:
    """A Markdown table; nothing without rows."""
    lines = [head, *rows]
    if len(lines) == 1:
        return ""
    cells = [[cell.replace("|", "/") for cell in line] for line in lines]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    cells.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    )
