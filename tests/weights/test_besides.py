"""EnCodec and the vocabulary are found wherever they are: a file, a folder's model, a snapshot of the hub."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from alrakis.errors import WeightsNotFoundError
from alrakis.spec import PARTS, Layout
from alrakis.weights.besides import codec_place, read_codec_for, wanted_besides
from tests.checkpoints import CODEC_FILE, write_encodec, write_vocab


def write_model(folder: Path, state: dict[str, torch.Tensor], prefix: str = "codec_model.") -> Path:
    """A model file with EnCodec in it, as transformers' Bark has it."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"{prefix}{name}": value.contiguous() for name, value in state.items()}
    save_file(tensors, folder / "model.safetensors")
    return folder


def snapshot(home: Path, repository: str) -> Path:
    folder = home / "hub" / f"models--{repository.replace('/', '--')}" / "snapshots" / ("a" * 40)
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("repository", ["suno/bark", "suno/bark-small"])
def test_it_is_found_in_each_place_in_order(
    repository: str, home: Path, tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    assert codec_place(folder) is None
    assert [file.hub[0][0] for file in wanted_besides(folder, PARTS)] == [
        "facebook/encodec_24khz",
        "google-bert/bert-base-multilingual-cased",
    ]
    inside = write_model(snapshot(home, repository), state)
    assert codec_place(None) == codec_place(folder) == inside
    write_encodec(home / "cache" / "torch" / "hub" / "checkpoints", seed=3)
    cached = home / "cache" / "torch" / "hub" / "checkpoints" / CODEC_FILE
    assert codec_place(folder) == cached
    write_model(folder, state)
    assert codec_place(folder) == folder
    write_encodec(folder, seed=3)
    assert codec_place(folder) == folder / CODEC_FILE
    read = [read_codec_for(place, Layout()) for place in (folder, None)]
    (folder / CODEC_FILE).unlink()
    read.append(read_codec_for(folder, Layout()))
    cached.unlink()
    read.append(read_codec_for(None, Layout()))
    for codec in read[1:]:
        for name, array in read[0].arrays.items():
            np.testing.assert_array_equal(codec.arrays[name], array)


def test_a_model_without_a_codec_is_none(home: Path, tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    assert codec_place(write_model(tmp_path / "mine", state, "semantic.")) is None
    with pytest.raises(WeightsNotFoundError, match="EnCodec"):
        read_codec_for(tmp_path / "mine", Layout())


def test_only_what_the_parts_need_is_wanted(home: Path, tmp_path: Path) -> None:
    assert [file.places[-1].name for file in wanted_besides(None, ["text"])] == ["tokenizer.json"]
    assert [file.places[-1].name for file in wanted_besides(None, ["codec"])] == [CODEC_FILE]
    assert wanted_besides(None, ["fine"]) == []
    write_vocab(tmp_path)
    (wanted,) = wanted_besides(tmp_path, ["text"])
    assert wanted.find() == tmp_path / "vocab.txt"
    assert wanted_besides(None, ["text"])[0].find() is None
    write_vocab(snapshot(home, "suno/bark-small"))
    assert wanted_besides(None, ["text"])[0].find() is not None
