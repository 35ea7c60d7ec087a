"""What is printed at the end of a run."""

import pytest

from alrakis.bench.record.tables import Table
from alrakis.bench.record.terminal import make_console, make_table, print_results
from tests.bench.results import everything


def test_whatever_is_printed_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[2J\x9b1m\u202eb"
    console = make_console()
    console.print(hostile)
    console.print(make_table(hostile, Table([hostile], [[hostile]])))
    assert capsys.readouterr().out.split() == [r"a\x1b[2J\x9b1m\u202eb"] * 4


def test_words_are_aligned_left_and_figures_right() -> None:
    table = make_table("title", Table(["x", "y", "z"], [["a", "1", ""]]), words=(0, -1))
    assert [column.justify for column in table.columns] == ["left", "right", "left"]


def test_medians_failures_and_notes_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_results(everything())
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "AMD Ryzen 7 4800U; 8 of 8 cores; 16 GiB; 8 threads, memory read at 30.0 GB/s"
    assert "latency: synthetic-small, 5 s, no voice; medians, seconds" in lines
    assert "two: synthetic-small, 2 texts at once, 5 s, no voice; medians, seconds" in lines
    assert "cpu-int8 0.90 4.51 0.45 0.45 0.45 2.26 0.45 0.45 225.56 ms 90% 600 MB" in lines
    assert "cpu-int8 coarse 249 98.0% 0.002 0.03" in lines
    assert lines[-2:] == ["transformers: not installed: cpu-int8", "RAPL cannot be read: cpu-int8"]
