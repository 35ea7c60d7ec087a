"""Several result files, read together."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alrakis.bench.record.metrics import METRICS
from alrakis.bench.record.schema import Results, TargetInfo, load_results
from alrakis.errors import InputError


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
        """A metric of all samples of a target in a workload; values that are missing or 0 are left out."""
        values = [METRICS[metric].value(sample) for sample in self.results.samples_of(workload, target)]
        return [value for value in values if value]


def load_runs(paths: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """Read result files. Raises InputError for a file that cannot be read or is given twice."""
    files = [Path(path) for path in paths]
    if len({file.resolve() for file in files}) < len(files):
        raise InputError("a result file was given twice; give each once")
    stems = [file.stem for file in files]
    labels = [file.stem if stems.count(file.stem) == 1 else str(file) for file in files]
    return [Run(label, load_results(file)) for label, file in zip(labels, files, strict=True)]


def same_machine(runs: Sequence[Run]) -> bool:
    return len({run.machine for run in runs}) == 1
