"""Bark as transformers saves it: `config.json`, and a safetensors or bin file or its shards."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from alrakis.errors import WeightsError
from alrakis.spec import PARTS, STAGES, Layout, Part, Stage
from alrakis.text.encoder import TextEncoder, bert_tokenizer
from alrakis.weights.besides import read_codec_for, wanted_besides
from alrakis.weights.check import checked_gpt
from alrakis.weights.folder_voices import folder_voices
from alrakis.weights.identity import identity_of
from alrakis.weights.locate import Wanted, fetch, vocab_file
from alrakis.weights.model_files import missing_shards, model_arrays, read_json
from alrakis.weights.suno import gpt_shape
from alrakis.weights.types import CodecWeights, StageWeights, Weights

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

    def __init__(self, folder: Path, name: str | None = None) -> None:
        """name: for messages and tags, the folder's if None."""
        self.name = name or str(folder)
        self.folder = folder

    @cached_property
    def layout(self) -> Layout:  # type: ignore[override]  # the base declares a plain attribute
        """Bark's layout, with the ids and rates of `generation_config.json` if there is one."""
        path = self.folder / "generation_config.json"
        config = read_json(path) if path.is_file() else {}
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
        found, files = model_arrays(self.folder, _PARTS[stage])
        renamed = {_renamed(name): array for name, array in found.items()}
        arrays = checked_gpt(stage, shape, renamed, self.layout, source)
        return StageWeights(stage, shape, arrays, source, identity_of(f"{stage} {shape}", arrays, files))

    def codec(self) -> CodecWeights:
        return read_codec_for(self.folder, self.layout)

    def tokenizer(self) -> TextEncoder:
        return bert_tokenizer(vocab_file(self.folder).get())

    def fetch(self, parts: Sequence[Part] = PARTS) -> None:
        shards = [
            path for stage in STAGES if stage in parts for path in missing_shards(self.folder, _PARTS[stage])
        ]
        wanted = [Wanted(f"a part of the model, {path.name}", (path,), ()) for path in dict.fromkeys(shards)]
        fetch([*wanted, *wanted_besides(self.folder, parts)])

    @property
    def whole(self) -> bool:
        """Whether every shard that its model lists is there."""
        return not any(missing_shards(self.folder, part) for part in _PARTS.values())

    @cached_property
    def voices(self) -> Mapping[str, Path]:
        return folder_voices(self.folder)

    def _section(self, stage: Stage) -> dict[str, Any]:
        path = self.folder / "config.json"
        section = read_json(path).get(f"{_PARTS[stage]}_config")
        if not isinstance(section, dict):
            raise WeightsError(f"{path} is not a Bark model's: it has no {_PARTS[stage]}_config")
        return section


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name
