"""The report of how much a quantized stage differs from fp32."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import isnan, nan
from statistics import median_low
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from alrakis.config import Config
from alrakis.export.store import Store, artifact_cache
from alrakis.sampling import FloatArray

Errors = Mapping[str, Mapping[str, float]]  # for each graph, the relative error of each linear


@dataclass(frozen=True)
class Report:
    """A quantized stage against fp32 over the same tokens.

    positions: how many draws were compared. top1: the share of them with the same likeliest candidate.
    kl_mean, kl_max: divergence of the quantized distribution from fp32's at temperature 1, in nats.
    layers: for each graph, the relative error (L2) of each linear's outputs, given fp32's inputs.
    kept: layers that stay fp32.
    """

    part: str
    precision: str
    tokens: str  # the origin of the tokens
    positions: int
    top1: float
    kl_mean: float
    kl_max: float
    layers: dict[str, dict[str, float]] = field(default_factory=dict)
    kept: tuple[str, ...] = ()

    @property
    def worst(self) -> dict[str, tuple[str, float]]:
        """For each graph, the layer with the largest error, and that error."""
        return {
            graph: max(errors.items(), key=lambda item: item[1])
            for graph, errors in self.layers.items()
            if errors
        }

    def shortfalls(self, config: Config) -> list[str]:
        """The figures that miss the config's limits, in words."""
        found = []
        if self.top1 < config.verify_min_top1:
            found.append(f"top-1 agreement {self.top1:.1%} is below {config.verify_min_top1:.1%}")
        if not self.kl_mean <= config.verify_max_kl:
            found.append(f"mean KL {self.kl_mean:.4f} nats is above {config.verify_max_kl:g}")
        return found

    def lines(self) -> list[str]:
        """The report as lines of text."""
        lines = [
            f"{self.part}, {self.precision} against fp32 over {self.positions} draws ({self.tokens}):",
            f"top-1 agreement {self.top1:.1%}, KL mean {self.kl_mean:.4f} and max {self.kl_max:.4f} nats",
        ]
        for graph, (name, error) in self.worst.items():
            typical = f"median {_typical(self.layers[graph]):.4f}"
            lines.append(f"worst layer of {graph}: {name}, relative error {error:.4f} ({typical})")
        if self.kept:
            lines.append(f"kept in fp32: {', '.join(self.kept)}")
        return lines

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "kept": list(self.kept)}


_REPORT = TypeAdapter(Report)


def outliers(layers: Errors, times: float) -> tuple[str, ...]:
    """Layers whose error in a graph is more than `times` the graph's median."""
    found = [
        name
        for errors in layers.values()
        for name, error in errors.items()
        if not error <= times * _typical(errors)
    ]
    return tuple(dict.fromkeys(found))


def _typical(errors: Mapping[str, float]) -> float:
    """The median of a graph's errors, the lower of two; NaN is ignored."""
    return median_low([error for error in errors.values() if not isnan(error)] or [nan])


def stored_reports() -> list[dict[str, Any]]:
    """The artifacts in the cache as JSON values, with their reports."""
    found = []
    for artifact in Store(artifact_cache()).artifacts():
        report = report_from_json(artifact.notes.get("report"))
        found.append(
            {
                "part": artifact.facts.get("part"),
                "precision": artifact.facts.get("precision"),
                "weights": artifact.notes.get("weights"),
                "folder": str(artifact.folder),
                "size_bytes": artifact.size_bytes,
                "report": report and report.as_json(),
                "lines": report.lines() if report else [],
            }
        )
    return found


def report_from_json(values: Any) -> Report | None:
    """The report in a manifest's notes; None if there is none or it is of another version."""
    if isinstance(values, dict) and values.keys() - {field.name for field in fields(Report)}:
        return None
    try:
        return _REPORT.validate_python(values)
    except ValidationError:
        return None


def divergence(
    exact: FloatArray, approximate: FloatArray
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Compare two models' logits `(..., C)`.

    Returns, both `(...)`, whether the same candidate is likeliest, and KL(exact || approximate) in nats at
    temperature 1.
    """
    ours, theirs = _log_softmax(exact), _log_softmax(approximate)
    kl = (np.exp(ours) * (ours - theirs)).sum(-1)
    return exact.argmax(-1) == approximate.argmax(-1), np.maximum(kl, 0)


def _log_softmax(logits: FloatArray) -> npt.NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
