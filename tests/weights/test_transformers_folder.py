"""Folders that transformers' own BarkModel wrote give the arrays that it holds."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.errors import InputError, WeightsError
from alrakis.spec import STAGES, GPTShape, Layout, Stage
from alrakis.weights import open_weights
from tests.checkpoints import write_encodec, write_vocab

PARTS = {"text": "semantic", "coarse": "coarse_acoustics", "fine": "fine_acoustics"}


@pytest.fixture(scope="module")
def model() -> Any:
    """A Bark of full vocabularies; its codec has as many codebooks as Bark uses."""
    stub_torchaudio()  # transformers imports it
    from transformers import BarkConfig, BarkModel, EncodecConfig
    from transformers.models.bark import BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig

    small = {"num_layers": 2, "num_heads": 2, "hidden_size": 64, "block_size": 1024, "bias": False}

    def sizes(vocab_in: int, vocab_out: int) -> dict:
        return {"input_vocab_size": vocab_in, "output_vocab_size": vocab_out, **small}

    torch.manual_seed(0)
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(**sizes(129_600, 10_048)).to_dict(),
        coarse_acoustics_config=BarkCoarseConfig(**sizes(12_096, 12_096)).to_dict(),
        fine_acoustics_config=BarkFineConfig(**sizes(1_056, 1_056)).to_dict(),
        codec_config=EncodecConfig(target_bandwidths=[6.0]).to_dict(),
    )
    bark = BarkModel(config).eval()
    for name, value in bark.state_dict().items():
        if name.endswith("codebook.embed") or "layernorm" in name:
            value.normal_()
    return bark


@pytest.fixture(scope="module")
def folders(model: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("transformers")
    model.save_pretrained(root / "safetensors")
    model.save_pretrained(root / "sharded", max_shard_size="12MB")
    shutil.copytree(root / "safetensors", root / "bin")
    (root / "bin" / "model.safetensors").unlink()
    torch.save(model.state_dict(), root / "bin" / "pytorch_model.bin")
    shutil.copytree(root / "bin", root / "half")
    torch.save(
        {name: value.half() for name, value in model.state_dict().items()},
        root / "half" / "pytorch_model.bin",
    )
    assert len(list((root / "sharded").glob("*.safetensors"))) > 2
    return {path.name: path for path in root.iterdir()}


def suno_name(name: str) -> str:
    """The name that suno gives to what transformers calls `name`, by its place in the model."""
    table = {
        "input_embeds_layer.weight": "transformer.wte.weight",
        "input_embeds_layers.0.weight": "transformer.wtes.0.weight",
        "position_embeds_layer.weight": "transformer.wpe.weight",
        "layernorm_final.weight": "transformer.ln_f.weight",
        "layernorm_final.bias": "transformer.ln_f.bias",
    }
    inside = {
        "layernorm_1": "ln_1",
        "layernorm_2": "ln_2",
        "attn.att_proj": "attn.c_attn",
        "attn.out_proj": "attn.c_proj",
        "mlp.in_proj": "mlp.c_fc",
        "mlp.out_proj": "mlp.c_proj",
    }
    if name in table or not name.startswith("layers."):
        return table.get(name, name)
    _, layer, rest = name.split(".", 2)
    module, kind = rest.rsplit(".", 1)
    return f"transformer.h.{layer}.{inside[module]}.{kind}"


@pytest.mark.parametrize("kind", ["safetensors", "sharded", "bin", "half"])
@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_holds_the_models_arrays(
    model: Any, folders: dict[str, Path], kind: str, stage: Stage
) -> None:
    weights = open_weights(folders[kind]).stage(stage)
    part = getattr(model, PARTS[stage])
    expected = {
        suno_name(name): value
        for name, value in part.state_dict().items()
        if not name.endswith("attn.bias")
        and not (".weight" in name and name.startswith("input_embeds_layers") and "layers.0." not in name)
    }
    assert set(weights.arrays) == set(expected)
    for name, value in expected.items():
        wanted = value.half() if kind == "half" else value
        np.testing.assert_array_equal(weights.arrays[name], wanted.numpy(), name)
    config = part.config
    assert weights.shape == GPTShape(
        2, 2, 64, config.input_vocab_size, config.output_vocab_size, norm_bias=stage == "fine"
    )


def test_each_form_has_one_identity(folders: dict[str, Path]) -> None:
    for stage in STAGES:
        assert (
            len(
                {
                    open_weights(folders[kind]).stage(stage).identity
                    for kind in ("safetensors", "sharded", "bin")
                }
            )
            == 1
        )
    assert (
        open_weights(folders["half"]).stage("fine").identity
        != open_weights(folders["bin"]).stage("fine").identity
    )


@pytest.mark.parametrize("kind", ["safetensors", "sharded", "bin"])
def test_the_codec_within_the_model(model: Any, folders: dict[str, Path], kind: str) -> None:
    codec = open_weights(folders[kind]).codec()
    own = model.codec_model
    for i in range(8):
        np.testing.assert_array_equal(
            codec.arrays[f"codebooks.{i}"], own.quantizer.layers[i].codebook.embed.numpy()
        )
    for index, name in ((0, "conv.conv"), (3, "convtr.convtr"), (12, "convtr.convtr"), (15, "conv.conv")):
        np.testing.assert_allclose(
            codec.arrays[f"decoder.model.{index}.{name}.weight"],
            own.decoder.layers[index].conv.weight.detach().numpy(),
            rtol=2e-6,
            atol=1e-8,
        )
    np.testing.assert_array_equal(
        codec.arrays["decoder.model.1.lstm.weight_hh_l1"],
        own.decoder.layers[1].lstm.weight_hh_l1.detach().numpy(),
    )


@pytest.fixture
def own(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(folders["safetensors"], tmp_path / "own"))


def change_json(path: Path, change: Callable[[Any], Any]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_the_layout_is_barks_and_follows_the_generation_config(own: Path) -> None:
    assert open_weights(own).layout == Layout()
    (own / "generation_config.json").write_text(
        json.dumps(
            {"semantic_config": {"text_pad_token": 7}, "coarse_acoustics_config": {"coarse_infer_token": 9}}
        )
    )
    assert open_weights(own).layout == Layout(text_pad=7, coarse_infer=9)
    (own / "generation_config.json").write_text(json.dumps({"semantic_config": {"text_pad_token": "seven"}}))
    with pytest.raises(WeightsError, match="valid integer, not 'seven'"):
        _ = open_weights(own).layout


def test_a_codec_beside_a_model_without_one(own: Path, model: Any) -> None:
    (own / "model.safetensors").unlink()
    state = {name: value for name, value in model.state_dict().items() if not name.startswith("codec_model.")}
    torch.save(state, own / "pytorch_model.bin")
    write_encodec(own)
    assert "encodec_24khz" in open_weights(own).codec().source


def test_the_tokenizer_of_the_folder(own: Path) -> None:
    from transformers import BertTokenizer

    write_vocab(own)
    tokenizer = BertTokenizer(vocab=str(own / "vocab.txt"), do_lower_case=False)
    expected = tokenizer.encode("Hello my name is Suno", add_special_tokens=False)
    assert open_weights(own).tokenizer().encode("Hello my name is Suno") == expected
    tokenizer.save_pretrained(own)
    (own / "vocab.txt").unlink(missing_ok=True)
    assert (own / "tokenizer.json").exists()
    assert open_weights(own).tokenizer().encode("Hello my name is Suno") == expected


@pytest.mark.parametrize("part", ["semantic_config", "coarse_acoustics_config", "fine_acoustics_config"])
def test_a_model_with_biases_is_refused(own: Path, part: str) -> None:
    change_json(own / "config.json", lambda config: config[part].update(bias=True))
    stage = {f"{name}_config": stage for stage, name in PARTS.items()}[part]
    with pytest.raises(WeightsError, match="biases"):
        open_weights(own).stage(stage)


def test_another_models_folder(own: Path) -> None:
    (own / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(WeightsError, match="no semantic_config"):
        open_weights(own).stage("text")
    for content in ("[1]", "{", ""):
        (own / "config.json").write_text(content)
        with pytest.raises(WeightsError, match=r"config\.json"):
            open_weights(own).stage("text")


def test_sizes_that_are_not_the_arrays(own: Path) -> None:
    change_json(own / "config.json", lambda config: config["fine_acoustics_config"].update(num_layers=3))
    with pytest.raises(WeightsError, match=r"missing: transformer\.h\.2"):
        open_weights(own).stage("fine")
    change_json(own / "config.json", lambda config: config["fine_acoustics_config"].update(num_layers="3"))
    with pytest.raises(WeightsError, match="n_layer = '3'"):
        open_weights(own).stage("fine")


def test_a_size_cannot_be_chosen(own: Path) -> None:
    with pytest.raises(InputError, match="one size only"):
        open_weights(own, sizes={"text": "small"})


def test_a_shard_outside_the_folder_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders["sharded"], tmp_path / "sharded"))
    change_json(
        folder / "model.safetensors.index.json",
        lambda index: index["weight_map"].update({"semantic.lm_head.weight": "../../secret.safetensors"}),
    )
    with pytest.raises(WeightsError, match="outside its folder"):
        open_weights(folder).stage("text")
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(WeightsError, match="weight_map"):
        open_weights(folder).stage("text")


def test_a_missing_shard(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders["sharded"], tmp_path / "sharded"))
    for shard in folder.glob("model-*.safetensors"):
        shard.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        open_weights(folder).stage("text")


class Command:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_a_hostile_bin_does_not_run(own: Path, tmp_path: Path) -> None:
    (own / "model.safetensors").unlink()
    canary = tmp_path / "canary"
    (own / "pytorch_model.bin").write_bytes(pickle.dumps(Command(f"touch {canary}")))
    with pytest.raises(WeightsError, match="system"):
        open_weights(own).stage("text")
    torch.save({"semantic.lm_head.weight": Command(f"touch {canary}")}, own / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="system"):
        open_weights(own).stage("text")
    assert not canary.exists()
