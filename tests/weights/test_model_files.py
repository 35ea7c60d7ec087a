"""The model file of a transformers folder: which arrays it has, and which of its shards are missing."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from alrakis.errors import WeightsError
from alrakis.weights.model_files import (
    has_codec,
    has_model_file,
    is_transformers_folder,
    missing_shards,
    model_arrays,
)


def write_shards(folder: Path) -> None:
    one, two = "one.safetensors", "two.safetensors"
    table = {"semantic.a": one, "semantic.b": two, "codec_model.c": two}
    save_file({"semantic.a": torch.ones(2)}, folder / "one.safetensors")
    save_file({"semantic.b": torch.ones(3), "codec_model.c": torch.zeros(1)}, folder / "two.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": table}))


def test_arrays_of_a_part_and_the_files_they_are_in(tmp_path: Path) -> None:
    assert not has_model_file(tmp_path)
    assert not has_codec(tmp_path)
    write_shards(tmp_path)
    assert has_model_file(tmp_path)
    assert not is_transformers_folder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert is_transformers_folder(tmp_path)
    arrays, files = model_arrays(tmp_path, "semantic")
    assert {name: len(array) for name, array in arrays.items()} == {"a": 2, "b": 3}
    assert [path.name for path in files] == ["one.safetensors", "two.safetensors"]
    assert has_codec(tmp_path)


def test_shards_that_are_missing(tmp_path: Path) -> None:
    write_shards(tmp_path)
    assert missing_shards(tmp_path, "semantic") == []
    (tmp_path / "two.safetensors").unlink()
    assert missing_shards(tmp_path, "semantic") == missing_shards(tmp_path, "codec_model")
    assert [path.name for path in missing_shards(tmp_path, "semantic")] == ["two.safetensors"]
    assert not has_codec(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"weight_map": 3}'])
def test_what_is_no_table_of_shards(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(WeightsError, match=r"model\.safetensors\.index\.json"):
        missing_shards(tmp_path, "semantic")
