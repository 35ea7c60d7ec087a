"""Several result files, read together."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean

from alrakis.bench.record.metrics import METRICS
from alrakis.bench.record.schema import Results, TargetInfo, load_results
from alrakis.bench.record.statistics import noise_of
from alrakis.errors import InputError
from alrakis.places.given import given_path

NOISY = 0.05  # a machine whose speed changed by more than this share is said to be noisy
_NOTHING = 1e-9  # seconds, bytes, and RTF: what is said to be less was not measured
_BUSY = 0.25  # of the cores: so much other work is said to be in the way


@dataclass(frozen=True)
class Run:
    """A result file. label: a short name, unique among the files that are read together."""

    label: str
    results: Results

    @property
    def machine(self) -> str:
        return self.results.environment.machine

    def target(self, name: str) -> TargetInfo | None:
        return next((target for target in self.results.targets if target.name == name), None)

    def values(self, workload: str, target: str, metric: str) -> list[float]:
        """A metric of all samples of a target in a workload; values that nothing can have are left out."""
        values = [METRICS[metric].value(sample) for sample in self.results.samples_of(workload, target)]
        return [value for value in values if value is not None and value > _NOTHING]

    @cached_property
    def noise(self) -> float | None:
        """How much the machine's speed changed during the run, as a share; None if that was not measured."""
        return noise_of(self.results.samples)

    @property
    def noisy(self) -> bool:
        return self.noise is not None and self.noise > NOISY

    def warnings(self) -> Iterator[str]:
        """What a reader of any figure of this run should know first."""
        results = self.results
        if not results.complete:
            yield "incomplete: it was stopped before its end"
        if self.noisy:
            yield (
                f"a noisy machine: one and the same product took up to {self.noise:.0%} more or less time "
                "during the run; intervals are that much wider"
            )
        environment = results.environment
        load, cores = environment.load_average, environment.usable_cores
        if load is not None and load > cores / 2:
            yield f"the machine was busy before the start (load {load:.1f} on {cores} cores)"
        others = [sample.other_cpus for sample in results.samples if sample.other_cpus is not None]
        if others and mean(others) > _BUSY * cores:
            yield f"other work kept {mean(others):.1f} of {cores} cores busy while it was measured"
        if any(workload.weights == "synthetic-tiny" for workload in results.workloads):
            yield "synthetic-tiny is a toy of Bark's structure: its figures say nothing about Bark"


def load_runs(paths: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """Read result files. Raises InputError for a file that cannot be read or is given twice."""
    files = [given_path(path) for path in paths]
    if len({file.resolve() for file in files}) < len(files):
        raise InputError("a result file was given twice; give each once")
    stems = [file.stem for file in files]
    labels = [file.stem if stems.count(file.stem) == 1 else str(file) for file in files]
    return [Run(label, load_results(file)) for label, file in zip(labels, files, strict=True)]


def same_machine(runs: Sequence[Run]) -> bool:
    return len({run.machine for run in runs}) == 1
