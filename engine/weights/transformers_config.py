"""What the JSON files of a transformers folder say: sizes, ids and rates."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alrakis.errors import WeightsError
from alrakis.files.parsing import first_problem, read_json, reason
from alrakis.spec import Layout, Stage

PART_NAMES: dict[Stage, str] = {"text": "semantic", "coarse": "coarse_acoustics", "fine": "fine_acoustics"}

Id = Annotated[int, Field(ge=0, lt=1 << 24)]
Rate = Annotated[float, Field(gt=0, le=10_000)]

# the names that sizes have in suno's checkpoints
_SIZES = {
    "num_layers": "n_layer",
    "num_heads": "n_head",
    "hidden_size": "n_embd",
    "input_vocab_size": "input_vocab_size",
    "output_vocab_size": "output_vocab_size",
    "block_size": "block_size",
}
_FINE_SIZES = {"n_codes_total": "n_codes_total", "n_codes_given": "n_codes_given"}


class _Ids(BaseModel):
    """A section of `generation_config.json`; what it does not say is Bark's."""

    model_config = ConfigDict(strict=True)


class _SemanticIds(_Ids):
    semantic_vocab: Id | None = Field(default=None, alias="semantic_vocab_size")
    semantic_pad: Id | None = Field(default=None, alias="semantic_pad_token")
    text_offset: Id | None = Field(default=None, alias="text_encoding_offset")
    text_pad: Id | None = Field(default=None, alias="text_pad_token")
    semantic_infer: Id | None = Field(default=None, alias="semantic_infer_token")
    semantic_rate_hz: Rate | None = None


class _CoarseIds(_Ids):
    coarse_semantic_pad: Id | None = Field(default=None, alias="coarse_semantic_pad_token")
    coarse_infer: Id | None = Field(default=None, alias="coarse_infer_token")
    coarse_rate_hz: Annotated[int, Field(gt=0, le=10_000)] | None = None


class _GenerationConfig(BaseModel):
    model_config = ConfigDict(strict=True)

    semantic_config: _SemanticIds | None = None
    coarse_acoustics_config: _CoarseIds | None = None


def read_layout(path: Path) -> Layout:
    """Bark's layout, with the ids and rates of a `generation_config.json`. Raises WeightsError."""
    try:
        config = _GenerationConfig.model_validate(read_table(path))
    except ValidationError as error:
        problem = first_problem(error.errors(include_url=False))
        raise WeightsError(f"{path} has ids or rates that cannot be: {problem}") from None
    changes: dict[str, Any] = {}
    for section in (config.semantic_config, config.coarse_acoustics_config):
        changes |= section.model_dump(exclude_none=True) if section else {}
    return Layout(**changes)


def read_sizes(path: Path, stage: Stage) -> dict[str, Any]:
    """A GPT's sizes in a `config.json`, by suno's names, not checked yet. Raises WeightsError."""
    section = read_table(path).get(f"{PART_NAMES[stage]}_config")
    if not isinstance(section, dict):
        raise WeightsError(f"{path} is not a Bark model's: it has no {PART_NAMES[stage]}_config")
    if section.get("bias"):
        raise WeightsError(f"{path} ({stage}) has biases in its linear layers; Bark's have none")
    names = _SIZES | (_FINE_SIZES if stage == "fine" else {})
    return {ours: section.get(theirs) for theirs, ours in names.items()}


def read_shards(index: Path, prefix: str) -> list[Path]:
    """The shards that have names with this prefix, beside the index. Raises WeightsError."""
    table = read_table(index).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(shard, str) for shard in table.values()):
        raise WeightsError(f"{index} has no table of shards (weight_map)")
    shards = {shard for name, shard in table.items() if name.startswith(prefix)}
    if outside := [
        shard for shard in shards if Path(shard).name != shard or shard in ("", "..") or "\0" in shard
    ]:
        raise WeightsError(f"{index} names a shard outside its folder: {outside[0]!r:.80}")
    return [index.parent / shard for shard in sorted(shards)]


def read_table(path: Path) -> dict[str, Any]:
    """The table in a JSON file. Raises WeightsError."""
    try:
        value = read_json(path)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read: {reason(error)}") from None
    if not isinstance(value, dict):
        raise WeightsError(f"{path} holds no table, but {type(value).__name__}")
    return value
