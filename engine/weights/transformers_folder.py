"""Bark as transformers saves it: `config.json`, and a safetensors or bin file or its shards."""

import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from alrakis.errors import WeightsError
from alrakis.spec import Layout, Stage
from alrakis.text.encoder import TextEncoder, bert_tokenizer
from alrakis.weights.check import checked_gpt
from alrakis.weights.codec import codec_from_arrays, read_codec
from alrakis.weights.identity import identity_of
from alrakis.weights.locate import codec_file, vocab_file
from alrakis.weights.safetensors_file import read_safetensors
from alrakis.weights.suno import gpt_shape
from alrakis.weights.torch_file import read_torch_file, tensors_as_arrays
from alrakis.weights.types import Array, CodecWeights, StageWeights, Weights

_MODEL_FILES = ("model.safetensors", "pytorch_model.bin")
_INDEX = ".index.json"  # the end of the name of the file that lists the shards
_PARTS: dict[Stage, str] = {"text": "semantic", "coarse": "coarse_acoustics", "fine": "fine_acoustics"}

# transformers' names to suno's
_RENAMES = (
    (r"^input_embeds_layer\.", "transformer.wte."),
    (r"^input_embeds_layers\.", "transformer.wtes."),
    (r"^position_embeds_layer\.", "transformer.wpe."),
    (r"^layernorm_final\.", "transformer.ln_f."),
    (r"^layers\.", "transformer.h."),
    (r"\.layernorm_(\d)\.", r".ln_\1."),
    (r"\.attn\.att_proj\.", ".attn.c_attn."),
    (r"\.attn\.out_proj\.", ".attn.c_proj."),
    (r"\.mlp\.in_proj\.", ".mlp.c_fc."),
    (r"\.mlp\.out_proj\.", ".mlp.c_proj."),
)
_SIZES = {
    "num_layers": "n_layer",
    "num_heads": "n_head",
    "hidden_size": "n_embd",
    "input_vocab_size": "input_vocab_size",
    "output_vocab_size": "output_vocab_size",
    "block_size": "block_size",
}
_FINE_SIZES = {"n_codes_total": "n_codes_total", "n_codes_given": "n_codes_given"}
# the ids and rates in each section of generation_config.json: their names there and in the layout
_LAYOUT = {
    "semantic_config": {
        "semantic_vocab_size": "semantic_vocab",
        "semantic_pad_token": "semantic_pad",
        "text_encoding_offset": "text_offset",
        "text_pad_token": "text_pad",
        "semantic_infer_token": "semantic_infer",
        "semantic_rate_hz": "semantic_rate_hz",
    },
    "coarse_acoustics_config": {
        "coarse_semantic_pad_token": "coarse_semantic_pad",
        "coarse_infer_token": "coarse_infer",
        "coarse_rate_hz": "coarse_rate_hz",
    },
}


class TransformersFolder(Weights):
    """Bark from a folder that transformers' `BarkModel.save_pretrained` wrote."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    @cached_property
    def layout(self) -> Layout:  # type: ignore[override]  # the base declares a plain attribute
        """Bark's layout, with the ids and rates of `generation_config.json` if there is one."""
        path = self._folder / "generation_config.json"
        config = _json(path) if path.is_file() else {}
        changes: dict[str, Any] = {}
        for section, names in _LAYOUT.items():
            values = config.get(section) or {}
            changes |= {ours: values[theirs] for theirs, ours in names.items() if theirs in values}
        odd = {name: value for name, value in changes.items() if not isinstance(value, (int, float))}
        if odd:
            raise WeightsError(f"{path} has ids or rates that are not numbers: {odd}")
        return Layout(**changes)

    def stage(self, stage: Stage) -> StageWeights:
        config = self._section(stage)
        if config.get("bias"):
            raise WeightsError(f"{self.name} ({stage}) has biases in its linear layers; Bark's have none")
        names = _SIZES | (_FINE_SIZES if stage == "fine" else {})
        source = f"{self.name} ({_PARTS[stage]})"
        shape = gpt_shape(stage, {ours: config.get(theirs) for theirs, ours in names.items()}, source)
        found, files = self._arrays(_PARTS[stage])
        renamed = {_renamed(name): array for name, array in found.items()}
        arrays = checked_gpt(stage, shape, renamed, self.layout, source)
        return StageWeights(stage, shape, arrays, source, identity_of(f"{stage} {shape}", arrays, files))

    def codec(self) -> CodecWeights:
        arrays, files = self._arrays("codec_model")
        if arrays:
            return codec_from_arrays(arrays, self.layout, files)
        return read_codec(codec_file(self._folder).get(), self.layout)

    def tokenizer(self) -> TextEncoder:
        own = self._folder / "tokenizer.json"
        wanted = vocab_file(self._folder)
        return bert_tokenizer(own if own.is_file() and not wanted.places[0].is_file() else wanted.get())

    def _section(self, stage: Stage) -> dict[str, Any]:
        path = self._folder / "config.json"
        section = _json(path).get(f"{_PARTS[stage]}_config")
        if not isinstance(section, dict):
            raise WeightsError(f"{path} is not a Bark model's: it has no {_PARTS[stage]}_config")
        return section

    def _arrays(self, part: str) -> tuple[dict[str, Array], list[Path]]:
        """The arrays under `part.`, without that prefix, and the files that hold them."""
        found: dict[str, Array] = {}
        files = []
        for path in self._files(f"{part}."):
            arrays = _read(path)
            mine = {
                name.removeprefix(f"{part}."): array
                for name, array in arrays.items()
                if name.startswith(f"{part}.")
            }
            found |= mine
            files += [path] if mine else []
        return found, files

    def _files(self, prefix: str) -> list[Path]:
        for name in _MODEL_FILES:
            if (self._folder / name).is_file():
                return [self._folder / name]
            index = self._folder / (name + _INDEX)
            if index.is_file():
                return _shards(index, prefix)
        raise WeightsError(f"{self.name} has no model file any more: {', '.join(_MODEL_FILES)}")


def is_transformers_folder(folder: Path) -> bool:
    """Whether a folder has a config.json and a model file."""
    names = [*_MODEL_FILES, *(name + _INDEX for name in _MODEL_FILES)]
    return (folder / "config.json").is_file() and any((folder / name).is_file() for name in names)


def _shards(index: Path, prefix: str) -> list[Path]:
    """The shards that have names with this prefix; they are in the folder of the index."""
    table = _json(index).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(shard, str) for shard in table.values()):
        raise WeightsError(f"{index} has no table of shards (weight_map)")
    shards = {shard for name, shard in table.items() if name.startswith(prefix)}
    if outside := [shard for shard in shards if Path(shard).name != shard]:
        raise WeightsError(f"{index} names a shard outside its folder: {outside[0]!r}")
    return [index.parent / shard for shard in sorted(shards)]


def _read(path: Path) -> Mapping[str, Array]:
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    return tensors_as_arrays(path, read_torch_file(path))


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise WeightsError(f"{path} holds no table, but {type(value).__name__}")
    return value
