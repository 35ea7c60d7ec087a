"""Bark as transformers saves it: `config.json`, and a safetensors or bin file or its shards."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from alrakis.spec import PARTS, STAGES, Layout, Part, Stage
from alrakis.text.encoder import TextEncoder, bert_tokenizer
from alrakis.weights.besides import read_codec_for, wanted_besides
from alrakis.weights.check import checked_gpt
from alrakis.weights.folder_voices import folder_voices
from alrakis.weights.identity import identity_of
from alrakis.weights.locate import Wanted, fetch, vocab_file
from alrakis.weights.model_files import missing_shards, model_arrays
from alrakis.weights.suno import gpt_shape
from alrakis.weights.transformers_config import PART_NAMES, read_layout, read_sizes
from alrakis.weights.types import CodecWeights, StageWeights, Weights

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
        return read_layout(path) if path.is_file() else Layout()

    def stage(self, stage: Stage) -> StageWeights:
        source = f"{self.name} ({PART_NAMES[stage]})"
        shape = gpt_shape(stage, read_sizes(self.folder / "config.json", stage), source)
        found, files = model_arrays(self.folder, PART_NAMES[stage])
        renamed = {_renamed(name): array for name, array in found.items()}
        arrays = checked_gpt(stage, shape, renamed, self.layout, source)
        return StageWeights(stage, shape, arrays, source, identity_of(f"{stage} {shape}", arrays, files))

    def codec(self) -> CodecWeights:
        return read_codec_for(self.folder, self.layout)

    def tokenizer(self) -> TextEncoder:
        return bert_tokenizer(vocab_file(self.folder).get())

    def fetch(self, parts: Sequence[Part] = PARTS) -> None:
        shards = [
            path
            for stage in STAGES
            if stage in parts
            for path in missing_shards(self.folder, PART_NAMES[stage])
        ]
        wanted = [Wanted(f"a part of the model, {path.name}", (path,), ()) for path in dict.fromkeys(shards)]
        fetch([*wanted, *wanted_besides(self.folder, parts)])

    @property
    def whole(self) -> bool:
        """Whether every shard that its model lists is there."""
        return not any(missing_shards(self.folder, part) for part in PART_NAMES.values())

    @cached_property
    def voices(self) -> Mapping[str, Path]:
        return folder_voices(self.folder)


def _renamed(name: str) -> str:
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name
