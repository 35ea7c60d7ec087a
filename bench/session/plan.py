"""What a run measures: suites, their scenarios, and the workloads that targets are given."""

from dataclasses import dataclass

from alrakis.bench.record.schema import SCENARIOS, Scenario, Workload
from alrakis.bench.targets.process import TEXT, Target
from alrakis.errors import InputError

LONG_S, COLD_S = 14.0, 1.0  # seconds of audio
ACCURACY_S = 4.0  # long enough for the coarse window of every preset to slide
SYNTHETIC_VOICE = "synthetic"
DEFAULT_VOICE = "v2/en_speaker_6"  # of `accuracy` with Bark's own weights
DEMO_VOICE = "demo/slt"  # with the demo's

FRESH: tuple[Scenario, ...] = ("cold-start", "memory")  # each sample is taken in a process of its own
# Peers generate one text at a time, and 14 s of audio take them minutes.
OF_PEERS: tuple[Scenario, ...] = ("latency", "voice", "cold-start", "memory")


@dataclass(frozen=True)
class Suite:
    """Defaults of a run.

    seconds: of audio. repeats: measured calls in `latency`; few_repeats: in the other scenarios. batches:
    batch sizes of `throughput`.
    """

    summary: str
    scenarios: tuple[Scenario, ...]
    seconds: float
    repeats: int
    few_repeats: int
    batches: tuple[int, ...]
    configs: tuple[str, ...]


_CONFIGS = ("auto", "cpu-fp32", "cpu-realtime")
SUITES = {
    "quick": Suite("under two minutes on two cores", ("latency",), 2.0, 4, 4, (), ("auto",)),
    "standard": Suite(
        "some minutes", ("latency", "throughput", "voice", "cold-start", "memory"), 3.0, 4, 4, (4,), _CONFIGS
    ),
    "full": Suite("everything; half an hour with peers", SCENARIOS, 2.0, 4, 2, (2, 8), _CONFIGS),
}


@dataclass(frozen=True)
class Plan:
    """Everything that a run measures. voice_file: the file that targets read the voice of `voice` from."""

    suite: str
    targets: tuple[Target, ...]
    workloads: tuple[Workload, ...]
    repeats: int
    few_repeats: int
    threads: int
    voice_file: str | None

    def targets_of(self, workload: Workload) -> list[Target]:
        """The targets that are given a workload."""
        return [target for target in self.targets if not target.is_peer or workload.scenario in OF_PEERS]

    def calls(self, workload: Workload) -> int:
        """The number of measured calls of each target in a workload."""
        if workload.scenario == "accuracy":
            return 1
        return self.repeats if workload.scenario == "latency" else self.few_repeats

    def calls_of(self, target: Target) -> int:
        """The number of measured calls of a target in all workloads."""
        return sum(self.calls(workload) for workload in self.workloads if target in self.targets_of(workload))

    @property
    def notes(self) -> list[str]:
        """What is left out, and why."""
        names = [w.name for w in self.workloads if len(self.targets_of(w)) < len(self.targets)]
        reason = "peers say one text at a time, and 14 s would take them minutes"
        return [f"without peers: {', '.join(names)} ({reason})"] if names else []


def make_workloads(
    scenarios: tuple[Scenario, ...], weights: str, seconds: float, voice: str | None, batches: tuple[int, ...]
) -> tuple[Workload, ...]:
    """The workloads of some scenarios. voice: of `voice` and `accuracy`; None for their defaults."""

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

    accuracy_weights, accuracy_voice = weights, voice or (DEMO_VOICE if weights == "demo" else DEFAULT_VOICE)
    if weights.startswith("synthetic"):  # random parameters say nothing about accuracy
        accuracy_weights, accuracy_voice = "demo", DEMO_VOICE
    workloads = {
        "latency": [workload("latency")],
        "throughput": [workload("throughput", f"throughput-{size}", batch=size) for size in batches],
        "voice": [workload("voice", voice=voice or SYNTHETIC_VOICE)],
        "long": [workload("long", seconds=LONG_S)],
        "accuracy": [
            workload("accuracy", weights=accuracy_weights, seconds=ACCURACY_S, text="", voice=accuracy_voice)
        ],
        "cold-start": [workload("cold-start", seconds=COLD_S)],
        "memory": [workload("memory")],
    }
    chosen = [workload for scenario, some in workloads.items() if scenario in scenarios for workload in some]
    if not chosen:
        raise InputError("nothing to measure: `throughput` needs a --batch")
    return tuple(chosen)
