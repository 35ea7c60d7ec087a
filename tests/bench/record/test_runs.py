"""Result files that are read together."""

from pathlib import Path

from alrakis.bench.record.runs import Run, load_runs, same_machine
from tests.bench.results import AROUND_1, SERVER, environment, results, sample, saved, workload


def test_labels_are_short_where_they_are_unique(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    made = results({"x": AROUND_1})
    files = [
        saved(folder, name, made)
        for folder, name in ((tmp_path / "a", "x"), (tmp_path / "b", "x"), (tmp_path, "y"))
    ]
    assert [run.label for run in load_runs(files)] == [*files[:2], "y"]


def test_values_that_are_missing_or_0_are_left_out() -> None:
    work = workload()
    sizes = [10**9, None, 0]
    samples = [sample(work, "x", i, 1.0, peak_rss_bytes=size) for i, size in enumerate(sizes)]
    run = Run("a", results({"x": ()}, [work], samples=samples))
    assert run.values("latency", "x", "memory") == [10**9]
    assert run.values("latency", "x", "rtf") == [1.0] * 3


def test_machines_are_told_apart() -> None:
    laptop, server = results({}), results({}, environment=environment(SERVER))
    assert same_machine([Run("a", laptop), Run("b", laptop)])
    assert not same_machine([Run("a", laptop), Run("b", server)])
    rented = [results({}, environment=environment("AMD EPYC", cpu_features=sets)) for sets in (["AVX2"], [])]
    assert not same_machine([Run("zen 3", rented[0]), Run("zen 4", rented[1])])
