"""Which samples of which files are set beside each other, and what is said of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from alrakis.bench.record.runs import METRICS, Run, main_metric, same_machine, target_of, values_of
from alrakis.bench.record.schema import TargetInfo, Workload
from alrakis.bench.record.statistics import Ratio, ratio_of
from alrakis.errors import InputError, nearest

_FIELDS = ("scenario", "weights", "text", "seconds", "voice", "batch")


@dataclass(frozen=True)
class Row:
    """One figure of one target in one workload: `b` beside `a`. mixed: how their work differs, if forced."""

    workload: str
    target: str
    metric: str
    a: float
    b: float
    samples: tuple[int, int]
    ratio: Ratio
    said: str
    mixed: str


@dataclass(frozen=True)
class Comparison:
    """a, b: what is compared, as columns are named. notes: what a reader should know besides."""

    a: str
    b: str
    across_machines: bool
    rows: list[Row]
    notes: list[str]

    @property
    def mixed(self) -> bool:
        """Whether different workloads were compared, because that was forced."""
        return any(row.mixed for row in self.rows)


def compare_runs(a: Run, b: Run, metrics: Sequence[str] = (), *, force: bool = False) -> Comparison:
    """Each target of both files in each workload of both files.

    metrics: names in METRICS; the workload's own when empty. On two machines the ratio is a fact, but nothing
    is called faster: too much is different. Raises InputError when a workload of the same name differs and
    `force` is not set, and when there is nothing in common.
    """
    across = not same_machine([a, b])
    notes = [*_notes(a), *_notes(b)]
    rows: list[Row] = []
    pairs = list(_workload_pairs(a, b, force))
    targets = [one.name for one in a.results.targets if target_of(b, one.name)]
    for one, other, mixed in pairs:
        for target in targets:
            for metric in metrics or [main_metric(one)]:
                values = values_of(a, one.name, target, metric), values_of(b, other.name, target, metric)
                if all(values):
                    rows.append(_row(one.name, target, metric, *values, across, mixed))
    if not rows:
        raise InputError(_nothing_in_common(a, b, bool(pairs), targets))
    for target in targets:
        notes += _config_changes(target, target_of(a, target), target_of(b, target))
    notes += _left_out(a, b, {one.name for one, _, _ in pairs}, {other.name for _, other, _ in pairs})
    return Comparison(a.label, b.label, across, rows, notes)


def compare_targets(run: Run, base: str | None, metrics: Sequence[str] = ()) -> list[Comparison]:
    """Each target of one file beside one of them: `base`, or the first that has samples.

    Raises InputError for an unknown base, and when there are no two targets with samples.
    """
    names = [one.name for one in run.results.targets]
    if base is not None and base not in names:
        raise InputError(
            f"{run.label} has no target {base!r}{nearest(base, names)}; it has {', '.join(names)}"
        )
    sampled = [name for name in names if any(sample.target == name for sample in run.results.samples)]
    first = base or next(iter(sampled), "")
    comparisons = []
    for name in sampled:
        rows = _beside(run, first, name, metrics)
        if rows and name != first:
            comparisons.append(Comparison(first, name, False, rows, []))
    if not comparisons:
        raise InputError(f"{run.label} has no two targets that were measured alike: nothing to compare")
    comparisons[0].notes.extend(_notes(run))
    return comparisons


def _beside(run: Run, a: str, b: str, metrics: Sequence[str]) -> list[Row]:
    """Target `b` beside target `a` in every workload of one run that has samples of both."""
    rows = []
    for workload in run.results.workloads:
        for metric in metrics or [main_metric(workload)]:
            values = values_of(run, workload.name, a, metric), values_of(run, workload.name, b, metric)
            if all(values):
                rows.append(_row(workload.name, b, metric, *values, False, ""))
    return rows


def _row(
    workload: str, target: str, metric: str, a: list[float], b: list[float], across: bool, mixed: str
) -> Row:
    ratio = ratio_of(a, b)
    words = {"less": METRICS[metric].less, "more": METRICS[metric].more}
    said = words.get(ratio.verdict, str(ratio.verdict))
    if mixed:
        said = "different work"
    elif across:
        said = "another machine"
    return Row(workload, target, metric, median(a), median(b), (len(a), len(b)), ratio, said, mixed)


def _workload_pairs(a: Run, b: Run, force: bool) -> Iterator[tuple[Workload, Workload, str]]:
    """Workloads of both that are the same work; with force, also those that share no more than a name."""
    by_identity = {one.identity: one for one in b.results.workloads}
    by_name = {one.name: one for one in b.results.workloads}
    for one in a.results.workloads:
        same = by_identity.get(one.identity)
        if same:
            yield one, same, ""
        elif one.name in by_name:
            other = by_name[one.name]
            difference = workload_difference(one, other)
            if not force:
                raise InputError(
                    f"workload {one.name!r} of {a.label} is not that of {b.label}: {difference}; figures of "
                    "different work say nothing about a machine or a config (--force compares them, marked)"
                )
            yield one, other, difference


def workload_difference(a: Workload, b: Workload) -> str:
    """How two workloads differ, in words; empty when they are the same work."""
    return "; ".join(
        f"{name} {getattr(a, name)!r} and {getattr(b, name)!r}"
        for name in _FIELDS
        if getattr(a, name) != getattr(b, name)
    )


def _nothing_in_common(a: Run, b: Run, workloads: bool, targets: list[str]) -> str:
    if workloads and targets:
        return f"{a.label} and {b.label} have no samples of the same target in the same workload"
    what = "target" if workloads else "workload"
    there = [", ".join(one.name for one in _named(run, workloads)) or "none" for run in (a, b)]
    return (
        f"{a.label} and {b.label} have no {what} in common: {there[0]} in one, {there[1]} in the other; "
        "targets of one run can be compared by giving its file alone"
    )


def _named(run: Run, targets: bool) -> Sequence[TargetInfo | Workload]:
    return run.results.targets if targets else run.results.workloads


def _notes(run: Run) -> Iterator[str]:
    results = run.results
    if not results.complete:
        yield f"{run.label} is incomplete: it was stopped before its end"
    load, cores = results.environment.load_average, results.environment.usable_cores
    if load is not None and load > cores / 2:
        yield f"{run.label}: the machine was busy before the start (load {load:.1f} on {cores} cores)"
    for target in results.targets:
        if target.error:
            yield f"{run.label}: {target.name} failed: {target.error}"


def _left_out(a: Run, b: Run, used_a: set[str], used_b: set[str]) -> Iterator[str]:
    """What one file has and the other has not."""
    for run, other, used in ((a, b, used_a), (b, a, used_b)):
        workloads = [one.name for one in run.results.workloads if one.name not in used]
        targets = [one.name for one in run.results.targets if not target_of(other, one.name)]
        for what, names in (("workloads", workloads), ("targets", targets)):
            if names:
                yield f"{what} of {run.label} alone: {', '.join(names)}"


def _config_changes(name: str, a: TargetInfo | None, b: TargetInfo | None) -> Iterator[str]:
    if a is None or b is None or a.config is None or b.config is None:
        return
    first, second = ({**one.config, "threads": one.threads} for one in (a, b) if one.config is not None)
    changed = [
        f"{key} {first.get(key)!r} and {second.get(key)!r}"
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    ]
    if changed:
        yield f"{name} was not run alike: {'; '.join(changed)}"
