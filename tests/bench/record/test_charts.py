"""What the charts of a report show."""

from alrakis.bench.record.charts import group_charts, group_series
from alrakis.bench.record.runs import Run
from tests.bench.results import AROUND_1, results, workload


def test_a_group_is_in_order_of_run_target_and_batch() -> None:
    works = [workload(f"throughput-{n}", scenario="throughput", batch=n) for n in (4, 2)]
    made = results({"x": AROUND_1, "y": AROUND_1}, works)
    (group,) = group_series([Run("a", made), Run("b", made)])
    assert [series.label for series in group[:5]] == [
        "x, 2 at once (a)",
        "x, 4 at once (a)",
        "y, 2 at once (a)",
        "y, 4 at once (a)",
        "x, 2 at once (b)",
    ]


def test_columns_without_figures_are_left_out() -> None:
    (group,) = group_series([Run("a", results({"x": AROUND_1}))])
    rtf, stages, memory = group_charts(group, "chart-0")
    assert "energy a second of audio" not in rtf.table.columns
    assert "a step reads" in rtf.table.columns
    assert stages.table.columns[-1] == "codec"  # the stages take all of the time, there is no rest
    assert [row[:2] for row in memory.table.rows] == [("x", "600 MB")]
