"""Choosing a config for this machine; torch is imported only where there may be a GPU."""

import importlib.util
import math
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
from alrakis.hardware import cpu, cuda_build, env_flag, gpus, not_built_for, sums_halves_in_fp32
from alrakis.spec import STAGES, CodecShape, bark_shape
from alrakis.weights.names import codec_arrays, gpt_arrays

_PACKAGES = {"onnx": "onnxruntime", "torch": "torch"}
_BESIDE_BYTES = 600 * 2**20


def resolve_config(
    config: "str | os.PathLike[str] | Config", overrides: Mapping[str, Any], weights: Any = "bark"
) -> Config:
    """A checked config, where "auto" stands for this machine's preset. Raises ConfigError."""
    if isinstance(config, str) and config == "auto":
        config = choose_config(weights)[0]
        overrides = {**_tuned_changes(config), **overrides}
    if isinstance(config, os.PathLike):
        config = Path(config)
    return load_config(config, overrides)


def choose_config(weights: Any = "bark") -> tuple[str, str]:
    """The name of the preset for this machine, and the reason. weights: as `Engine` is given them.

    Raises BackendError if neither torch nor onnxruntime is installed.
    """
    has_torch, has_onnx, lack = _installed("torch"), _installed("onnxruntime"), ""
    tuned = _tuned()
    if tuned:
        return tuned.preset, f"{tuned.words} (`alrakis-bench tune --forget` undoes it)"
    if has_torch and (_nvidia_driver() or _amd_driver()):
        gpu, lack = _gpu_choice("small" if _is_small(weights) else "large")
        if gpu:
            return gpu
    if has_torch and sys.platform == "darwin" and env_flag("SUNO_ENABLE_MPS"):
        apple, lack = _apple_choice()
        if apple:
            return apple
    without = _no_gpu(has_torch, lack)
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


def _is_small(weights: Any) -> bool:
    """Whether weights are surely smaller than Bark large: by their name, before anything is read."""
    name = str(getattr(weights, "name", weights)).lower()
    return "small" in name or "tiny" in name or name == "demo"


def _no_gpu(has_torch: bool, lack: str) -> str:
    """Why no GPU is taken, in words that are true of this machine. lack: what torch has against it."""
    if sys.platform == "darwin" and platform.machine() == "arm64" and not lack:
        hint = "SUNO_ENABLE_MPS=1 takes it" if has_torch else "PyTorch would run on it (alrakis[torch])"
        return f"Apple's GPU is not taken unasked: {hint}"
    names = [gpu.name for gpu in gpus()]
    if not names:
        return "no GPU found"
    reason = (lack or "this PyTorch cannot use it") if has_torch else "it needs PyTorch (alrakis[torch])"
    return f"{' and '.join(names)} found, but {reason}"


def _apple_choice() -> tuple[tuple[str, str] | None, str]:
    """The preset for Apple's GPU, and why: fp16 where its sums of halves are fp32. As `_gpu_choice`."""
    import torch

    if not torch.backends.mps.is_available():
        return None, "this PyTorch cannot use it"
    asked = "SUNO_ENABLE_MPS is set"
    if sums_halves_in_fp32(torch, "mps"):
        return ("gpu-fp16", f"{asked}: fp16 on Apple's GPU, which keeps sums in fp32"), ""
    return ("torch-fp32", f"{asked}: fp32 on Apple's GPU, whose sums in fp16 are not exact enough"), ""


def _gpu_choice(size: str) -> tuple[tuple[str, str] | None, str]:
    """The preset for the GPU that torch would use, and why; or None, and what speaks against it."""
    import torch

    if not torch.cuda.is_available():
        rocm = ": AMD's GPUs need PyTorch's build for ROCm" if _amd_driver() and not torch.version.hip else ""
        return None, f"this PyTorch cannot use it{rocm}"
    card = torch.cuda.current_device()
    name = torch.cuda.get_device_name(card)
    lack = not_built_for(*cuda_build(torch, card))
    if lack:
        return None, lack
    free_bytes = torch.cuda.mem_get_info(card)[0]
    bf16 = torch.version.hip is not None or torch.cuda.get_device_capability(card) >= (8, 0)
    for preset in ("gpu-bf16", "gpu-fp16") if bf16 else ("gpu-fp16",):
        needed_bytes = gpu_bytes(load_config(preset), size)
        if free_bytes >= needed_bytes:
            computes = "computes in bfloat16" if bf16 else "has no bfloat16"
            gib = f"{free_bytes / 2**30:.1f} GiB free of which {needed_bytes / 2**30:.1f} are needed"
            return (preset, f"{name} {computes}, {gib}"), ""
    gib = f"{free_bytes / 2**30:.1f} GiB free, not {needed_bytes / 2**30:.1f}"
    return ("gpu-lowmem", f"{name} has {gib}: one stage on it at a time"), ""


def gpu_bytes(config: Config, size: str) -> int:
    """Memory that a config takes on a GPU, about, with Bark of a size ("small" or "large") on torch.

    Parameters, caches of all slots, and what CUDA, kernels and passes over a window take beside them.
    """
    itemsize = 4 if config.precision == "fp32" else 2
    stages = {stage: bark_shape(stage, size) for stage in STAGES}
    taken = []
    for stage, shape in stages.items():
        parameters = sum(math.prod(shape) for shape in gpt_arrays(shape).values())
        cached = config.slots * 2 * shape.n_layer * shape.block_size * shape.n_embd
        taken.append(itemsize * (parameters + (cached if stage != "fine" else 0)))
    codec = 4 * sum(math.prod(shape) for shape in codec_arrays(CodecShape()).values())
    return _BESIDE_BYTES + (max(taken) if config.offload else sum(taken) + codec)
