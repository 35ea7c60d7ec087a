"""Medians, quartiles and bootstrapped intervals over the samples of each target in each workload."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from alrakis.bench.record.schema import Sample, Summary

RESAMPLES = 9999


def summaries(samples: Sequence[Sample]) -> list[Summary]:
    """Every figure that samples have, in the order in which targets and workloads appear."""
    groups: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        for metric, value in _figures(sample):
            groups[sample.workload, sample.target][metric].append(value)
    return [
        summarize(workload, target, metric, values)
        for (workload, target), figures in groups.items()
        for metric, values in figures.items()
    ]


def summarize(workload: str, target: str, metric: str, values: Sequence[float]) -> Summary:
    q1, median, q3 = np.percentile(values, [25, 50, 75])
    return Summary(
        workload=workload,
        target=target,
        metric=metric,
        samples=len(values),
        median=float(median),
        q1=float(q1),
        q3=float(q3),
        interval=_interval(values),
    )


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The median's 95% interval, by resampling; the same samples give the same one."""
    if len(values) < 2:
        return None
    found = stats.bootstrap(
        (values,), np.median, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    return float(found.low), float(found.high)


def _figures(sample: Sample) -> Iterator[tuple[str, float]]:
    for metric in (
        "rtf",
        "ttfa_s",
        "wall_s",
        "load_s",
        "peak_rss_bytes",
        "peak_gpu_bytes",
        "bandwidth_share",
    ):
        value = getattr(sample, metric)
        if value is not None:
            yield metric, value
    for stage, work in sample.stages.items():
        yield f"{stage}_s", work.seconds
        if work.steps and stage.endswith("decode"):
            yield f"{stage}_step_s", work.seconds / work.steps
    for meter, joules in sample.energy_j.items():
        yield f"energy_j {meter}", joules
