"""Several result files at once: loaded, named, and what machines they are from."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alrakis.bench.record.schema import Environment, Results, Sample, TargetInfo, Workload, load_results
from alrakis.errors import InputError


@dataclass(frozen=True)
class Run:
    """A result file. label: short, and unique among those loaded together."""

    label: str
    results: Results

    @property
    def machine(self) -> str:
        return self.results.environment.machine


@dataclass(frozen=True)
class Metric:
    """A figure of a sample; less of it is better."""

    title: str
    value: Callable[[Sample], float | None]
    less: str  # what is said of less of it
    more: str
    show: Callable[[float], str]


METRICS = {
    "rtf": Metric("RTF", lambda s: s.rtf, "faster", "slower", "{:.3g}".format),
    "ttfa": Metric("first audio after", lambda s: s.ttfa_s, "faster", "slower", "{:.3g} s".format),
    "load": Metric("ready after", lambda s: s.load_s, "faster", "slower", "{:.3g} s".format),
    "memory": Metric(
        "peak memory",
        lambda s: s.peak_rss_bytes,
        "less memory",
        "more memory",
        lambda v: f"{v / 1e6:.0f} MB",
    ),
    "gpu-memory": Metric(
        "peak GPU memory",
        lambda s: s.peak_gpu_bytes,
        "less memory",
        "more memory",
        lambda v: f"{v / 1e6:.0f} MB",
    ),
}


def main_metric(workload: Workload) -> str:
    """The name of the metric that a scenario is about."""
    return {"cold-start": "ttfa", "memory": "memory"}.get(workload.scenario, "rtf")


def load_runs(paths: Sequence[str | os.PathLike[str]]) -> list[Run]:
    """Result files in order. Raises InputError for one that cannot be read, and one given twice."""
    named = [Path(path) for path in paths]
    if len({path.resolve() for path in named}) < len(named):
        raise InputError("a result file was given twice; give each once")
    stems = [path.stem for path in named]
    labels = [path.stem if stems.count(path.stem) == 1 else str(path) for path in named]
    return [Run(label, load_results(path)) for label, path in zip(labels, named, strict=True)]


def values_of(run: Run, workload: str, target: str, metric: str) -> list[float]:
    """The samples' figures that can be compared: those that were measured and are above 0."""
    found = [METRICS[metric].value(sample) for sample in run.results.taken(workload, target)]
    return [value for value in found if value]


def same_machine(runs: Sequence[Run]) -> bool:
    return len({run.machine for run in runs}) == 1


def target_of(run: Run, name: str) -> TargetInfo | None:
    return next((target for target in run.results.targets if target.name == name), None)


def environment_rows(runs: Sequence[Run]) -> list[tuple[str, list[str]]]:
    """The hardware table: a title and one cell a run; rows that are empty everywhere are left out."""
    environments = [run.results.environment for run in runs]
    packages = sorted({name for one in environments for name in one.versions})
    rows = [(title, [show(one) for one in environments]) for title, show in _ENVIRONMENT]
    rows += [(name, [one.versions.get(name) or "" for one in environments]) for name in packages]
    rows.append(("alrakis", [_version(run.results) for run in runs]))
    rows.append(("measured", [run.results.started for run in runs]))
    return [(title, cells) for title, cells in rows if any(cells)]


def _version(results: Results) -> str:
    revision = results.environment.git_revision
    return results.alrakis + (f" ({revision})" if revision else "")


def _cores(one: Environment) -> str:
    few = "" if one.usable_cores == one.physical_cores else f", {one.usable_cores} of the cores usable"
    return f"{one.physical_cores} cores, {one.logical_cores} threads{few}"


def _gpus(one: Environment) -> str:
    def memory(size: int | None) -> str:
        return "" if size is None else f", {size / 2**30:.0f} GiB"

    return "; ".join(f"{g.name}{memory(g.memory_bytes)}, driver {g.driver or '?'}" for g in one.gpus)


_ENVIRONMENT: tuple[tuple[str, Callable[[Environment], str]], ...] = (
    ("CPU", lambda one: one.cpu),
    ("instruction sets", lambda one: ", ".join(one.cpu_features)),
    ("cores", _cores),
    ("memory", lambda one: f"{one.memory_bytes / 2**30:.1f} GiB"),
    ("memory reads at", lambda one: f"{one.read_bandwidth / 1e9:.1f} GB/s" if one.read_bandwidth else ""),
    ("GPU", _gpus),
    ("threads given", lambda one: str(one.threads)),
    ("load before", lambda one: "" if one.load_average is None else f"{one.load_average:.2f}"),
    ("system", lambda one: one.platform),
    ("Python", lambda one: one.python),
    ("variables", lambda one: ", ".join(f"{name}={value}" for name, value in one.variables.items())),
)
