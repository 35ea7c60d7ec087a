"""Arrays are what they should be, or every mistake is named."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from alrakis.errors import WeightsError
from alrakis.spec import STAGES, Layout, Stage
from alrakis.weights import open_weights
from alrakis.weights.check import check_arrays, checked_codec, checked_gpt
from alrakis.weights.names import Shapes
from alrakis.weights.suno import read_checkpoint
from alrakis.weights.types import Array
from tests.backends.tiny import LAYOUT, SHAPES, stage_weights
from tests.weights.parts import checkpoint, read


def test_attention_masks_are_dropped(tmp_path: Path) -> None:
    content = checkpoint("coarse")
    content["model"]["transformer.h.0.attn.bias"] = torch.ones(1, 1, 1024, 1024)
    assert "transformer.h.0.attn.bias" not in read(tmp_path, "coarse", content).arrays


def test_heads_and_embeddings_saved_apart_but_equal(tmp_path: Path) -> None:
    content = checkpoint("fine")
    content["model"] = {name: value.clone() for name, value in content["model"].items()}
    assert "transformer.wtes.3.weight" not in read(tmp_path, "fine", content).arrays


def test_heads_and_embeddings_that_differ_are_refused(tmp_path: Path) -> None:
    content = checkpoint("fine")
    content["model"]["transformer.wtes.3.weight"] = content["model"]["transformer.wtes.3.weight"] + 1
    with pytest.raises(WeightsError, match=r"embedding 3 and lm_heads\.2\.weight differ"):
        read(tmp_path, "fine", content)


@pytest.mark.parametrize("held", STAGES)
@pytest.mark.parametrize("asked", STAGES)
def test_a_checkpoint_of_another_stage(small_folder: Path, held: Stage, asked: Stage) -> None:
    path = small_folder / f"{held}.pt"
    if held == asked:
        assert read_checkpoint(path, asked, Layout()).stage == asked
    else:
        with pytest.raises(WeightsError, match=f"holds a {held} model, not a {asked} model"):
            read_checkpoint(path, asked, Layout())


def test_many_mistakes_are_said_at_once_but_not_all_of_them(tmp_path: Path) -> None:
    content = checkpoint("coarse")
    content["model"] = {f"module.{name}": value for name, value in content["model"].items()}
    with pytest.raises(WeightsError) as error:
        read(tmp_path, "coarse", content)
    assert "missing: " in str(error.value)
    assert "not known: module." in str(error.value)
    assert "and 11 more" in str(error.value)


ARRAYS: dict[Stage, dict[str, Array]] = {stage: dict(stage_weights(stage).arrays) for stage in STAGES}


@pytest.mark.parametrize("stage", STAGES)
def test_whole_arrays_come_through_as_they_are(stage: Stage) -> None:
    found = checked_gpt(stage, SHAPES[stage], ARRAYS[stage], LAYOUT, "x")
    assert found.keys() == ARRAYS[stage].keys()
    assert all(found[name] is array for name, array in ARRAYS[stage].items())


@given(st.sampled_from(STAGES), st.data())
def test_every_change_of_the_arrays_is_named(stage: Stage, data: st.DataObject) -> None:
    arrays = dict(ARRAYS[stage])
    name = data.draw(st.sampled_from(sorted(arrays)))
    how = data.draw(st.sampled_from(["missing", "renamed", "longer", "whole numbers"]))
    array = arrays.pop(name)
    told = name
    if how == "renamed":
        told = data.draw(st.sampled_from(["x", "transformer.h.9.ln_1.weight", "module." + name]))
        arrays[told] = array
    elif how == "longer":
        arrays[name] = np.concatenate([array, array[:1]])
    elif how == "whole numbers":
        arrays[name] = array.astype(np.int32)
    with pytest.raises(WeightsError, match=re.escape(told)) as error:
        checked_gpt(stage, SHAPES[stage], arrays, LAYOUT, "the file")
    assert "the file" in str(error.value)


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("text", {"semantic_infer": 96}),
        ("text", {"semantic_pad": 64}),
        ("coarse", {"coarse_infer": 2112}),
        ("coarse", {"coarse_offset": 66}),
        ("fine", {"fine_pad": 1056}),
        ("fine", {"codebook_size": 1057}),
    ],
)
def test_a_vocabulary_holds_every_id_of_the_layout(stage: Stage, changes: dict[str, int]) -> None:
    layout = replace(LAYOUT, **changes)
    with pytest.raises(WeightsError, match=f"a {stage} model needs at least"):
        checked_gpt(stage, SHAPES[stage], ARRAYS[stage], layout, "x")


def test_a_model_of_other_positions_is_refused() -> None:
    shape = replace(SHAPES["coarse"], block_size=512)
    with pytest.raises(WeightsError, match="512 positions; Bark's models have 1024"):
        checked_gpt("coarse", shape, ARRAYS["coarse"], LAYOUT, "x")


def test_a_codec_makes_as_many_samples_as_the_rates_say() -> None:
    codec = open_weights("synthetic-tiny").codec()
    arrays = dict(codec.arrays)
    assert checked_codec(codec.shape, arrays, LAYOUT, "x") is arrays
    with pytest.raises(WeightsError, match="320 samples a frame, not 160"):
        checked_codec(codec.shape, arrays, replace(LAYOUT, sample_rate_hz=12_000), "x")


@given(st.sets(st.text("abc", min_size=1)), st.sets(st.text("abc", min_size=1)))
def test_mistakes_are_told_all_at_once(there: set[str], wanted: set[str]) -> None:
    arrays = {name: np.zeros(2, np.float32) for name in there}
    expected: Shapes = dict.fromkeys(wanted, (2,))
    if there == wanted:
        check_arrays(arrays, expected, "x")
        return
    with pytest.raises(WeightsError) as error:
        check_arrays(arrays, expected, "x")
    for said, names in (("missing: ", wanted - there), ("not known: ", there - wanted)):
        line = next((line for line in str(error.value).splitlines() if said in line), "")
        assert bool(line) == bool(names)
        assert ("and" in line) == (len(names) > 5)
        assert len(names & set(line.partition(": ")[2].replace(" and", ",").split(", "))) == min(
            5, len(names)
        )
