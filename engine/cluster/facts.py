"""What a machine has, besides alrakis, that decides what is heard; another machine must have the same."""

import hashlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alrakis.config import Config
from alrakis.evidence.kinds import kind_of
from alrakis.files.memo import remembered, stamps_of
from alrakis.hardware import cpu
from alrakis.spec import STAGES
from alrakis.weights import WEIGHTS_NAMES, open_weights

_RUNTIMES = {
    "onnx": ("onnxruntime", ("onnxruntime", "onnxruntime-gpu"), "cpu"),
    "torch": ("torch", ("torch",), "torch"),
}


@dataclass(frozen=True)
class Facts:
    """What is compared.

    runtime: name and version of what runs the networks, None if it is not there. missing: extras that are
    needed and not installed. weights, recogniser: the hash of a folder's parameters, or why they cannot be
    read; None for what has a name. processor: its kind, which int8 depends on.
    """

    runtime: str | None
    missing: tuple[str, ...]
    weights: str | None
    processor: str
    recogniser: str | None = None


@dataclass(frozen=True)
class Need:
    """What is to be looked at. listen: the recogniser that compares takes or finds words, if any."""

    weights: str
    config: Config
    listen: str | None


def facts_here(need: Need) -> Facts:
    """The facts of this machine."""
    runtime, extra = _runtime(need.config.backend)
    missing = [] if runtime else [extra]
    if need.listen is not None and importlib.util.find_spec("faster_whisper") is None:
        missing.append("listen")
    weights, recogniser = _identity(need.weights), _recogniser(need.listen)
    return Facts(runtime, tuple(missing), weights, kind_of(cpu().features), recogniser)


def facts_of(weights: str, config_json: str, listen: str | None) -> dict[str, Any]:
    """`facts_here` in plain values, which need no class of ours where they are sent from."""
    return asdict(facts_here(Need(weights, Config.model_validate_json(config_json), listen)))


def differences(known: Facts, found: Facts) -> Iterator[str]:
    """Why a machine of these facts cannot say what one of the known facts says."""
    if found.missing:
        yield f"it lacks pip install 'alrakis[{','.join(found.missing)}]'"
    elif known.runtime is not None and found.runtime != known.runtime:
        yield f"it has {found.runtime}, and {known.runtime} is needed: another may draw other tokens"
    if found.weights != known.weights:
        yield f"its weights are others: {found.weights}, not {known.weights}"
    if found.recogniser != known.recogniser:
        yield f"its recogniser is another: {found.recogniser}, not {known.recogniser}"


def _runtime(backend: str) -> tuple[str | None, str]:
    module, packages, extra = _RUNTIMES[backend]
    if importlib.util.find_spec(module) is None:
        return None, extra
    for package in packages:
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
        return f"{module} {version.partition('+')[0]}", extra
    return module, extra


def _identity(name: str) -> str | None:
    """A hash of all parameters of a folder; files that were hashed before are not read again."""
    if name in WEIGHTS_NAMES:
        return None
    if not os.path.isdir(name):
        return f"there is no folder {name}"
    weights = open_weights(name)
    parts = [*(weights.stage(stage).identity for stage in STAGES), weights.codec().identity]
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def _recogniser(name: str | None) -> str | None:
    """A hash of the parameters of a recogniser that is a folder."""
    if name is None or os.sep not in name:
        return None
    path = Path(name, "model.bin")
    if not path.is_file():
        return f"there is no {path}"
    return remembered("recogniser", stamps_of([path]), lambda: _hash(path))


def _hash(path: Path) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            found.update(part)
    return found.hexdigest()[:16]
