"""Compares two runs, or the targets of one run: which samples are compared, and what the result is called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alrakis.bench.record.metrics import METRICS, main_metric
from alrakis.bench.record.runs import Run, same_machine
from alrakis.bench.record.schema import TargetInfo, Workload
from alrakis.bench.record.statistics import Ratio, quartiles, ratio_of
from alrakis.errors import InputError, nearest


@dataclass(frozen=True)
class Difference:
    """One metric of one target in one workload, measured twice.

    a, b: the medians. samples: the number of samples in each. verdict: what `b` is, in a word. mixed: how
    the workloads differ, if different ones were compared; otherwise empty.
    """

    workload: str
    target: str
    metric: str
    a: float
    b: float
    samples: tuple[int, int]
    ratio: Ratio
    verdict: str
    mixed: str


@dataclass(frozen=True)
class Comparison:
    """a, b: names of what was compared. notes: lines about the runs that a reader should know."""

    a: str
    b: str
    across_machines: bool
    differences: list[Difference]
    notes: list[str]

    @property
    def mixed(self) -> bool:
        """Whether different workloads were compared, because that was forced."""
        return any(difference.mixed for difference in self.differences)


def compare_runs(a: Run, b: Run, metrics: Sequence[str] = (), *, force: bool = False) -> Comparison:
    """Compare every target that both runs have in every workload that both have.

    metrics: keys of METRICS; by default the main one of each workload. On different machines there is a
    ratio but nothing is called faster, since too much differs. Raises InputError if workloads of the same
    name differ, unless forced, and if the runs have nothing in common.
    """
    across = not same_machine([a, b])
    pairs = list(_workload_pairs(a, b, force))
    targets = [target.name for target in a.results.targets if b.target(target.name)]
    differences: list[Difference] = []
    for first, second, mixed in pairs:
        for target in targets:
            for metric in metrics or [main_metric(first)]:
                values = a.values(first.name, target, metric), b.values(second.name, target, metric)
                if all(values):
                    differences.append(
                        _difference(first.name, target, metric, *values, across, mixed, _noise(metric, a, b))
                    )
    if not differences:
        raise InputError(_nothing_in_common(a, b, bool(pairs), targets))
    notes = [*_notes(a), *_notes(b)]
    for target in targets:
        notes += _config_changes(target, a.target(target), b.target(target))
    notes += _left_out(a, b, {first.name for first, _, _ in pairs})
    notes += _left_out(b, a, {second.name for _, second, _ in pairs})
    return Comparison(a.label, b.label, across, differences, notes)


def compare_targets(run: Run, base: str | None, metrics: Sequence[str] = ()) -> list[Comparison]:
    """Compare every other target of a run with `base`, by default the first target that has samples.

    Raises InputError if there is no such target, or no second target with samples.
    """
    names = [target.name for target in run.results.targets]
    if base is not None and base not in names:
        raise InputError(
            f"{run.label} has no target {base!r}{nearest(base, names)}; it has {', '.join(names)}"
        )
    sampled = [name for name in names if any(sample.target == name for sample in run.results.samples)]
    first = base or next(iter(sampled), "")
    comparisons = []
    for name in sampled:
        differences = _target_differences(run, first, name, metrics)
        if differences and name != first:
            comparisons.append(Comparison(first, name, False, differences, []))
    if not comparisons:
        raise InputError(f"{run.label} has no two targets that were measured alike: nothing to compare")
    comparisons[0].notes.extend(_notes(run))
    return comparisons


def _target_differences(run: Run, a: str, b: str, metrics: Sequence[str]) -> list[Difference]:
    """Two targets of a run in every workload that both have samples of."""
    differences = []
    for workload in run.results.workloads:
        for metric in metrics or [main_metric(workload)]:
            values = run.values(workload.name, a, metric), run.values(workload.name, b, metric)
            if all(values):
                differences.append(
                    _difference(workload.name, b, metric, *values, False, "", _noise(metric, run))
                )
    return differences


def _difference(
    workload: str,
    target: str,
    metric: str,
    a: list[float],
    b: list[float],
    across: bool,
    mixed: str,
    noise: float | None,
) -> Difference:
    ratio = ratio_of(a, b, noise)
    words = {"less": METRICS[metric].less, "more": METRICS[metric].more}
    verdict = words.get(ratio.verdict, str(ratio.verdict))
    if mixed:
        verdict = "different work"
    elif across:
        verdict = "another machine"
    medians = quartiles(a).median, quartiles(b).median
    return Difference(workload, target, metric, *medians, (len(a), len(b)), ratio, verdict, mixed)


def _noise(metric: str, *runs: Run) -> float | None:
    """The noise that a metric's ratios are widened by: memory has none."""
    if metric in ("memory", "gpu-memory"):
        return None
    return max((run.noise for run in runs if run.noise is not None), default=None)


def _workload_pairs(a: Run, b: Run, force: bool) -> Iterator[tuple[Workload, Workload, str]]:
    """Workloads of both runs that are equal; if forced, also those that only have the same name.

    The third item says how the workloads differ.
    """
    by_identity = {workload.identity: workload for workload in b.results.workloads}
    by_name = {workload.name: workload for workload in b.results.workloads}
    for first in a.results.workloads:
        if first.identity in by_identity:
            yield first, by_identity[first.identity], ""
        elif first.name in by_name:
            second = by_name[first.name]
            changes = _changes(*(workload.model_dump(exclude={"name"}) for workload in (first, second)))
            if not force:
                raise InputError(
                    f"workload {first.name!r} of {a.label} is not that of {b.label}: {changes}; figures of "
                    "different work say nothing about a machine or a config (--force compares them, marked)"
                )
            yield first, second, changes


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """The keys whose values differ, with both values."""
    keys = {**a, **b}
    return "; ".join(f"{key} {a.get(key)!r} and {b.get(key)!r}" for key in keys if a.get(key) != b.get(key))


def _nothing_in_common(a: Run, b: Run, workloads: bool, targets: list[str]) -> str:
    """Why two runs cannot be compared. workloads, targets: what they do have in common."""
    if workloads and targets:
        return f"{a.label} and {b.label} have no samples of the same target in the same workload"
    what = "target" if workloads else "workload"
    names = []
    for run in (a, b):
        items: Sequence[TargetInfo | Workload] = run.results.targets if workloads else run.results.workloads
        names.append(", ".join(item.name for item in items) or "none")
    return (
        f"{a.label} and {b.label} have no {what} in common: {names[0]} in one, {names[1]} in the other; "
        "targets of one run can be compared by giving its file alone"
    )


def _notes(run: Run) -> Iterator[str]:
    yield from (f"{run.label}: {warning}" for warning in run.warnings())
    for target in run.results.targets:
        if target.error:
            yield f"{run.label}: {target.name} failed: {target.error}"


def _left_out(run: Run, other: Run, compared: set[str]) -> Iterator[str]:
    """The workloads and targets that only the first run has. compared: names of the common workloads."""
    workloads = [workload.name for workload in run.results.workloads if workload.name not in compared]
    targets = [target.name for target in run.results.targets if not other.target(target.name)]
    for kind, names in (("workloads", workloads), ("targets", targets)):
        if names:
            yield f"{kind} of {run.label} alone: {', '.join(names)}"


def _config_changes(name: str, a: TargetInfo | None, b: TargetInfo | None) -> Iterator[str]:
    configs = [
        dict(sorted({**target.config, "threads": target.threads}.items()))
        for target in (a, b)
        if target is not None and target.config is not None
    ]
    changes = _changes(*configs) if len(configs) == 2 else ""
    if changes:
        yield f"{name} was not run alike: {changes}"
