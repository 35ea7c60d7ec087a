"""Checking the names, shapes and types of arrays; messages name the file."""

from collections.abc import Iterable, Mapping

import ml_dtypes
import numpy as np

from alrakis.errors import WeightsError
from alrakis.spec import CONTEXT, CodecShape, GPTShape, Layout, Stage
from alrakis.weights.names import Shapes, codec_arrays, gpt_arrays
from alrakis.weights.types import Array

_FLOATS = (np.float32, np.float16, ml_dtypes.bfloat16)
_NAMED = 5  # at most as many names in a message, then "and 12 more"


def checked_gpt(
    stage: Stage, shape: GPTShape, found: Mapping[str, Array], layout: Layout, source: str
) -> dict[str, Array]:
    """The arrays of one GPT, checked: attention masks dropped, tied arrays once. Raises WeightsError."""
    arrays = {name: array for name, array in found.items() if not name.endswith(".attn.bias")}
    biased = [name for name in arrays if name.endswith(("c_attn.bias", "c_proj.bias", "c_fc.bias"))]
    if biased:
        raise WeightsError(f"{source} has biases in its linear layers ({biased[0]:.80}); Bark's have none")
    there = _stage_of(arrays, shape, stage, layout)
    if there != stage:
        raise WeightsError(f"{source} holds a {there} model, not a {stage} model")
    _check_shape(stage, shape, layout, source)
    if stage == "fine":
        _tie(arrays, shape, source)
    check_arrays(arrays, gpt_arrays(shape), source)
    return arrays


def checked_codec(
    shape: CodecShape, arrays: dict[str, Array], layout: Layout, source: str
) -> dict[str, Array]:
    """The codec's arrays. Raises WeightsError if they do not fit the shape or the layout's rates."""
    samples = int(np.prod(shape.ratios))
    if samples != layout.samples_per_frame:
        raise WeightsError(f"{source} makes {samples} samples a frame, not {layout.samples_per_frame}")
    check_arrays(arrays, codec_arrays(shape), source)
    return arrays


def check_arrays(arrays: Mapping[str, Array], expected: Shapes, source: str) -> None:
    """Compare names, shapes and types. Raises one WeightsError with all mistakes."""
    problems = []
    missing = [name for name in expected if name not in arrays]
    extra = [name for name in arrays if name not in expected]
    if missing:
        problems.append(f"missing: {_list(missing)}")
    if extra:
        problems.append(f"not known: {_list(extra)}")
    problems += [
        f"{name} is {arrays[name].dtype} {arrays[name].shape}, not floats {wanted}"
        for name, wanted in expected.items()
        if name in arrays and (arrays[name].shape != wanted or arrays[name].dtype not in _FLOATS)
    ][:_NAMED]
    if problems:
        raise WeightsError("\n  - ".join([f"{source} is not what it should be:", *problems]))


def _stage_of(arrays: Mapping[str, Array], shape: GPTShape, asked: Stage, layout: Layout) -> Stage:
    if any(name.startswith(("transformer.wtes.", "lm_heads.")) for name in arrays):
        return "fine"
    if shape.input_vocab != shape.output_vocab:
        return "text"
    # in suno's older format a text model has a single vocabulary too, which is larger than a coarse model's
    return "text" if asked == "text" and shape.input_vocab > layout.semantic_infer else "coarse"


def _check_shape(stage: Stage, shape: GPTShape, layout: Layout, source: str) -> None:
    """Raises WeightsError if the vocabularies lack ids of the layout or there are not 1024 positions."""
    coarse_end = layout.coarse_codebook(1).stop
    least = {
        "text": (layout.semantic_infer + 1, layout.semantic_pad + 1),
        "coarse": (max(layout.coarse_infer + 1, coarse_end), coarse_end),
        "fine": (layout.fine_pad + 1, layout.codebook_size),
    }[stage]
    if shape.input_vocab < least[0] or shape.output_vocab < least[1]:
        raise WeightsError(
            f"{source} has vocabularies of {shape.input_vocab} and {shape.output_vocab} ids (in, out); "
            f"a {stage} model needs at least {least[0]} and {least[1]}"
        )
    if shape.block_size != CONTEXT:
        raise WeightsError(f"{source} has {shape.block_size} positions; Bark's models have {CONTEXT}")


def _tie(arrays: dict[str, Array], shape: GPTShape, source: str) -> None:
    """Drop each embedding that is tied to a head, and keep the head (`bark/model_fine.py`)."""
    for i in range(shape.n_codes_total - shape.n_codes_given):
        head = f"lm_heads.{i}.weight"
        embedding = arrays.pop(f"transformer.wtes.{i + shape.n_codes_given}.weight", None)
        if embedding is None:
            continue
        tied = arrays.setdefault(head, embedding)
        if not _equal(tied, embedding):
            raise WeightsError(
                f"{source}: embedding {i + shape.n_codes_given} and {head} differ; in Bark's fine model "
                "they are one array"
            )


def _equal(a: Array, b: Array) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    same_place = a.__array_interface__["data"] == b.__array_interface__["data"] and a.strides == b.strides
    return same_place or bool(np.array_equal(a, b))


def _list(names: Iterable[str]) -> str:
    names = [f"{name:.80}" for name in names]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
