"""The tables that the terminal and the report share."""

from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Accuracy
from alrakis.bench.record.tables import accuracy_table, machine_table, median_cell
from tests.bench.results import AROUND_1, SERVER, environment, results, sample, workload


def test_a_median_is_over_the_samples_that_have_the_value() -> None:
    samples = [sample(workload(), "x", i, 1.0, load_s=value) for i, value in enumerate((1.0, None, 2.0))]
    assert median_cell(samples, lambda s: s.load_s, "{:.1f} s".format) == "1.5 s"
    assert median_cell(samples[1:2], lambda s: s.load_s, "{:.1f} s".format) == ""


def test_figures_that_a_part_has_not_are_empty() -> None:
    figures = {"top1": 0.98, "kl_mean": None, "kl_max": None, "log_mel_distance_db": 0.5}
    part = Accuracy(workload="accuracy", target="x", part="fine", positions=0, **figures)
    assert accuracy_table([("mine", part)]).rows == [["mine", "fine", "", "98.0%", "", "", "0.50 dB"]]


def test_rows_that_no_machine_fills_are_left_out() -> None:
    runs = [
        Run("a", results({"x": AROUND_1})),
        Run("b", results({"x": AROUND_1}, environment=environment(SERVER, load_average=None))),
    ]
    table = machine_table(runs)
    assert table.columns == ["", "a", "b"]
    rows = {title: cells for title, *cells in table.rows}
    assert rows["load before"] == ["0.10", ""]
    assert rows["onnxruntime"] == ["1.32.0", "1.32.0"]
    assert rows["alrakis"] == ["0.1.0 (abcdef0)"] * 2
    assert not {"GPU", "torch", "variables"} & set(rows)
