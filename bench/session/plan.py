"""What a run consists of: suites, their scenarios, and the workloads that targets get."""

from dataclasses import dataclass

from alrakis.bench.record.schema import SCENARIOS, Scenario, Workload
from alrakis.bench.targets.process import Target
from alrakis.errors import InputError

TEXT = "Hello, my name is Suno. And, uh, and I like pizza. But I also have other interests."
LONG_S, COLD_S, ACCURACY_S = 14.0, 1.0, 1.0
SYNTHETIC_VOICE = "synthetic"

FRESH: tuple[Scenario, ...] = ("cold-start", "memory")  # each sample from a process of its own
# A peer says one text at a time, and 14 s would take it minutes a sample.
OF_PEERS: tuple[Scenario, ...] = ("latency", "voice", "cold-start", "memory")


@dataclass(frozen=True)
class Suite:
    """seconds: of audio. repeats: of `latency`; few_repeats: of the rest. configs: if none are asked for."""

    summary: str
    scenarios: tuple[Scenario, ...]
    seconds: float
    repeats: int
    few_repeats: int
    batches: tuple[int, ...]
    configs: tuple[str, ...]


_OWN = ("auto", "cpu-fp32", "cpu-realtime")
SUITES = {
    "quick": Suite("under two minutes on two cores", ("latency",), 2.0, 4, 4, (), ("auto",)),
    "standard": Suite(
        "some minutes", ("latency", "throughput", "voice", "cold-start", "memory"), 3.0, 4, 4, (4,), _OWN
    ),
    "full": Suite("everything; half an hour with peers", SCENARIOS, 2.0, 4, 2, (2, 8), _OWN),
}


@dataclass(frozen=True)
class Plan:
    """All that is to be measured. voice_file: what the `voice` workload's voice is read from."""

    suite: str
    targets: tuple[Target, ...]
    workloads: tuple[Workload, ...]
    repeats: int
    few_repeats: int
    threads: int
    voice_file: str | None

    def takers(self, workload: Workload) -> list[Target]:
        """The targets that a workload is for."""
        return [one for one in self.targets if not one.is_peer or workload.scenario in OF_PEERS]

    @property
    def notes(self) -> list[str]:
        """What is left out, and why."""
        alone = [one.name for one in self.workloads if len(self.takers(one)) < len(self.targets)]
        why = "peers say one text at a time, and 14 s would take them minutes"
        return [f"without peers: {', '.join(alone)} ({why})"] if alone else []

    def calls(self, workload: Workload) -> int:
        """Measured calls of each target."""
        if workload.scenario == "accuracy":
            return 1
        return self.repeats if workload.scenario == "latency" else self.few_repeats


def make_workloads(
    scenarios: tuple[Scenario, ...], weights: str, seconds: float, voice: str | None, batches: tuple[int, ...]
) -> tuple[Workload, ...]:
    """The workloads of some scenarios. voice: the `voice` scenario's, a synthetic one if None."""

    def workload(scenario: Scenario, name: str = "", **changes: object) -> Workload:
        values: dict[str, object] = {
            "name": name or scenario,
            "scenario": scenario,
            "weights": weights,
            "text": TEXT,
            "seconds": seconds,
            "voice": None,
            "batch": 1,
        }
        return Workload.model_validate({**values, **changes})

    made = {
        "latency": [workload("latency")],
        "throughput": [workload("throughput", f"throughput-{n}", batch=n) for n in batches],
        "voice": [workload("voice", voice=voice or SYNTHETIC_VOICE)],
        "long": [workload("long", seconds=LONG_S)],
        # random parameters say nothing about quality: the demo voice stands in
        "accuracy": [
            workload(
                "accuracy",
                weights="demo" if weights.startswith("synthetic") else weights,
                seconds=ACCURACY_S,
                text="",
            )
        ],
        "cold-start": [workload("cold-start", seconds=COLD_S)],
        "memory": [workload("memory")],
    }
    chosen = [one for scenario in made if scenario in scenarios for one in made[scenario]]
    if not chosen:
        raise InputError("nothing to measure: `throughput` needs a --batch")
    return tuple(chosen)
