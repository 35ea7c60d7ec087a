"""The model file of a transformers folder, or its shards: which arrays are where."""

from collections.abc import Mapping
from pathlib import Path

from alrakis.errors import WeightsError
from alrakis.weights.safetensors_file import read_safetensors
from alrakis.weights.torch_file import read_torch_file, tensors_as_arrays
from alrakis.weights.transformers_config import read_shards
from alrakis.weights.types import Array

_MODEL_FILES = ("model.safetensors", "pytorch_model.bin")
_INDEX = ".index.json"  # the end of the name of the file that lists the shards
CODEC = "codec_model"


def is_transformers_folder(folder: Path) -> bool:
    """Whether a folder has a config.json and a model file."""
    return (folder / "config.json").is_file() and has_model_file(folder)


def has_model_file(folder: Path) -> bool:
    """Whether a folder has a model file, or the list of its shards."""
    return any((folder / name).is_file() for base in _MODEL_FILES for name in (base, base + _INDEX))


def has_codec(folder: Path) -> bool:
    """Whether a folder's model file has EnCodec in it. Raises WeightsError for a damaged file."""
    return (
        has_model_file(folder) and not missing_shards(folder, CODEC) and bool(model_arrays(folder, CODEC)[0])
    )


def model_arrays(folder: Path, part: str) -> tuple[dict[str, Array], list[Path]]:
    """The arrays under `part.`, without that prefix, and the files that hold them. Raises WeightsError."""
    found: dict[str, Array] = {}
    files = []
    for path in _files(folder, f"{part}."):
        arrays = _read(path)
        mine = {
            name.removeprefix(f"{part}."): array
            for name, array in arrays.items()
            if name.startswith(f"{part}.")
        }
        found |= mine
        files += [path] if mine else []
    return found, files


def missing_shards(folder: Path, part: str) -> list[Path]:
    """The shards of a part that its folder lists but does not have."""
    return [path for path in _files(folder, f"{part}.") if not path.is_file()]


def _files(folder: Path, prefix: str) -> list[Path]:
    for name in _MODEL_FILES:
        if (folder / name).is_file():
            return [folder / name]
        index = folder / (name + _INDEX)
        if index.is_file():
            return read_shards(index, prefix)
    raise WeightsError(f"{folder} has no model file any more: {', '.join(_MODEL_FILES)}")


def _read(path: Path) -> Mapping[str, Array]:
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    return tensors_as_arrays(path, read_torch_file(path))
