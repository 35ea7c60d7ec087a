"""`alrakis-bench compare`: what it prints, and what it refuses."""

import re
from pathlib import Path

import pytest

from alrakis.bench.record import terminal
from tests.bench.programs import Bench
from tests.bench.results import AROUND_1, SERVER, environment, results, saved, times, workload


def test_one_machine(tmp_path: Path, bench: Bench) -> None:
    before = saved(tmp_path, "before", results({"cpu-int8": AROUND_1}))
    after = saved(tmp_path, "after", results({"cpu-int8": times(0.5)}))
    ended = bench("compare", before, after)
    assert ended.code == 0, ended.err
    assert "one machine: AMD Ryzen 7 4800U" in ended.out
    (line,) = [line for line in ended.out.splitlines() if line.startswith("latency")]
    assert re.fullmatch(
        r"latency +cpu-int8 +RTF +1.00 +0.50 +2.00× +1.\d+× - 2.\d+× +6, 6 +faster", line.strip()
    )


def test_two_machines(tmp_path: Path, bench: Bench) -> None:
    laptop = saved(tmp_path, "laptop", results({"cpu-int8": AROUND_1}))
    server = saved(tmp_path, "server", results({"cpu-int8": times(0.5)}, environment=environment(SERVER)))
    ended = bench("compare", laptop, server)
    assert ended.code == 0, ended.err
    assert re.search(r"CPU +AMD Ryzen 7 4800U +Intel Xeon Platinum 8488C", ended.out)
    assert "faster" not in ended.out
    assert "another machine" in ended.out


def test_forcing_marks_the_output(tmp_path: Path, bench: Bench) -> None:
    a = saved(tmp_path, "a", results({"x": AROUND_1}))
    b = saved(tmp_path, "b", results({"x": times(0.5)}, [workload(seconds=2.0)]))
    refused = bench("compare", a, b)
    assert refused.code == 2
    assert refused.out == ""
    assert "seconds 5.0 and 2.0" in refused.err
    forced = bench("compare", a, b, "--force")
    assert forced.code == 0
    assert "DIFFERENT WORK" in forced.out
    assert "! latency: seconds 5.0 and 2.0" in forced.out
    assert "faster" not in forced.out


def test_what_a_file_says_is_shown_and_not_obeyed(tmp_path: Path, bench: Bench) -> None:
    name = "[red]x[/red]\x1b[2J\n$x$"
    a, b = (saved(tmp_path, label, results({name: AROUND_1})) for label in "ab")
    ended = bench("compare", a, b)
    assert ended.code == 0, ended.err
    assert "[red]x[/red]\\x1b[2J\\n$x$" in ended.out
    assert "\x1b" not in ended.out


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "cut off or no JSON"),
        ('{"format": "alrakis-bench", "schema_ver', "cut off or no JSON"),
        ("[]", "is not a result"),
        ('{"benchmarks": []}', "is not a result"),
        ('{"format": "alrakis-bench", "schema_version": 99}', "schema version 99"),
        ('{"format": "alrakis-bench", "schema_version": 1}', "is damaged"),
    ],
)
def test_files_that_are_no_results(tmp_path: Path, bench: Bench, content: str, why: str) -> None:
    good = saved(tmp_path, "good", results({"x": AROUND_1}))
    (tmp_path / "bad.json").write_text(content)
    ended = bench("compare", good, "bad.json")
    assert (ended.code, ended.out) == (2, "")
    assert why in ended.err


def test_wrong_use(tmp_path: Path, bench: Bench) -> None:
    a, b = (saved(tmp_path, label, results({"x": AROUND_1})) for label in "ab")
    for arguments, why in (
        ((a, a), "given twice"),
        ((a, b, "--base", "x"), "--base is for one file"),
        ((a, "missing.json"), "cannot read missing.json"),
        ((a, b, "--metric", "speed"), "invalid choice: 'speed'"),
    ):
        ended = bench("compare", *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert why in ended.err


@pytest.mark.parametrize("width", [80, 100, 140])
def test_long_names_leave_room_for_the_figures(
    width: int, tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "a-config-with-a-name-that-somebody-typed-on-a-long-evening"
    monkeypatch.setattr(terminal, "PIPE_WIDTH", width)
    a = saved(tmp_path, f"before-{long}", results({"cpu-int8": AROUND_1, long: AROUND_1}))
    b = saved(tmp_path, f"after-{long}", results({"cpu-int8": times(0.5), long: times(0.25)}))
    for files, found in (((a, b), ("2.00×", "4.00×")), ((b,), ("2.00×",))):
        ended = bench("compare", *files)
        assert ended.code == 0, ended.err
        rows = [line.rstrip() for line in ended.out.splitlines() if line.startswith("latency")]
        assert len(rows) == len(found)
        for row, times_as_fast in zip(rows, found, strict=True):
            assert re.match(r"latency +(cpu-int8|a-config-with-a-name-) +RTF +\d.* faster", row)
            assert times_as_fast in row
            assert len(row) <= width
