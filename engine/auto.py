"""Choosing a config for this machine; torch is imported only where there may be a CUDA device."""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alrakis.config import Config, load_config
from alrakis.errors import BackendError
from alrakis.evidence.fastest import CLOSE, fastest
from alrakis.evidence.kinds import kind_of
from alrakis.evidence.tuned import Tuned, tuned_here
from alrakis.hardware import cpu, env_flag, gpus

_PACKAGES = {"onnx": "onnxruntime", "torch": "torch"}
LOW_GPU_MEMORY_BYTES = 6 * 2**30


def resolve_config(config: "str | os.PathLike[str] | Config", overrides: Mapping[str, Any]) -> Config:
    """A checked config, where "auto" stands for this machine's preset. Raises ConfigError."""
    if isinstance(config, str) and config == "auto":
        config = choose_config()[0]
        overrides = {**_tuned_changes(config), **overrides}
    if isinstance(config, os.PathLike):
        config = Path(config)
    return load_config(config, overrides)


def choose_config() -> tuple[str, str]:
    """The name of the preset for this machine, and the reason.

    Raises BackendError if neither torch nor onnxruntime is installed.
    """
    has_torch, has_onnx = _installed("torch"), _installed("onnxruntime")
    tuned = _tuned()
    if tuned:
        return tuned.preset, f"{tuned.words} (`alrakis-bench tune --forget` undoes it)"
    if has_torch and (_nvidia_driver() or _amd_driver()):
        gpu = _cuda_choice()
        if gpu:
            return gpu
    if has_torch and sys.platform == "darwin" and env_flag("SUNO_ENABLE_MPS"):
        return "torch-fp32", "SUNO_ENABLE_MPS is set: fp32 on Apple's GPU"
    without = _no_gpu(has_torch)
    if has_onnx:
        return _cpu_choice(without, has_torch)
    if has_torch:
        return "torch-fp32", f"{without}, no onnxruntime: fp32 on torch (`pip install 'alrakis[cpu]'`)"
    raise BackendError(
        "neither onnxruntime nor torch is installed: `pip install 'alrakis[cpu]'` for CPUs, "
        "`pip install 'alrakis[gpu]'` for NVIDIA GPUs"
    )


def _tuned() -> Tuned | None:
    """What was tuned here, if it applies: what was found on a CPU says nothing of a GPU beside it."""
    found = tuned_here()
    if found is None or not _installed(_PACKAGES[found.config().backend]):
        return None
    return found if found.gpu or not (_nvidia_driver() or _amd_driver()) else None


def _tuned_changes(preset: str) -> dict[str, Any]:
    """The keys of a preset that tuning changed, if it is what was tuned."""
    tuned = _tuned()
    return tuned.changes if tuned and tuned.preset == preset else {}


def _cpu_choice(without: str, has_torch: bool) -> tuple[str, str]:
    """The fastest of the configs that stay close to fp32, as measured on this kind of processor."""
    kind = kind_of(cpu().features)
    rows = fastest(kind, [name for name in CLOSE if has_torch or not name.startswith("torch")])
    if not rows:
        unknown = f"nothing was measured on {kind} yet (`alrakis-bench tune --quick` does)"
        return "cpu-int8", f"{without}; onnxruntime is installed: int8 is the CPU default; {unknown}"
    best, *others = rows
    beside = "".join(f", {row.config} {row.rtf:.2f}" for row in others)
    where = f"{best.work}, on {best.machine}, {best.measured}"
    return (
        best.config,
        f"{without}; the fastest close to fp32 on {kind}: RTF {best.rtf:.2f}{beside} ({where})",
    )


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _nvidia_driver() -> bool:
    """Whether there is an NVIDIA driver; importing torch to find out would take seconds."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _amd_driver() -> bool:
    """Whether there is AMD's driver for computing, which torch's builds for ROCm use as if it were CUDA."""
    return Path("/dev/kfd").exists()


def _no_gpu(has_torch: bool) -> str:
    """Why no GPU is taken, in words that are true of this machine."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        hint = "SUNO_ENABLE_MPS=1 takes it" if has_torch else "PyTorch would run on it (alrakis[torch])"
        return f"Apple's GPU is not taken unasked: {hint}"
    names = [gpu.name for gpu in gpus()]
    if not names:
        return "no GPU found"
    reason = "this PyTorch cannot use it" if has_torch else "it needs PyTorch (alrakis[torch])"
    return f"{' and '.join(names)} found, but {reason}"


def _cuda_choice() -> tuple[str, str] | None:
    import torch

    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name()
    memory_bytes = torch.cuda.get_device_properties(0).total_memory
    if memory_bytes < LOW_GPU_MEMORY_BYTES:
        return "gpu-lowmem", f"{name} has {memory_bytes / 2**30:.1f} GiB: one stage on it at a time"
    if torch.cuda.get_device_capability() >= (8, 0):
        return "gpu-bf16", f"{name} computes in bfloat16"
    return "gpu-fp16", f"{name} has no bfloat16"
