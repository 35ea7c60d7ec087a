"""EnCodec's parameters from every naming, equal to what EnCodec itself computes with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from alrakis.errors import WeightsError
from alrakis.spec import CodecShape, Layout
from alrakis.weights.codec import read_codec
from alrakis.weights.types import CodecWeights
from tests.checkpoints import CODEC_FILE


def assert_is(codec: CodecWeights, folded: dict[str, torch.Tensor]) -> None:
    assert set(codec.arrays) == set(folded)
    for name, value in folded.items():
        assert codec.arrays[name].dtype == np.float32
        np.testing.assert_allclose(codec.arrays[name], value.numpy(), rtol=2e-6, atol=1e-8, err_msg=name)


def test_encodecs_own_file(
    tmp_path: Path, state: dict[str, torch.Tensor], folded: dict[str, torch.Tensor]
) -> None:
    for zipped in (True, False):
        torch.save(state, tmp_path / CODEC_FILE, _use_new_zipfile_serialization=zipped)
        codec = read_codec(tmp_path / CODEC_FILE, Layout())
        assert codec.shape == CodecShape()
        assert_is(codec, folded)


def transformers_state(state: dict[str, torch.Tensor], *, old: bool) -> dict[str, torch.Tensor]:
    """The same parameters in transformers' EncodecModel, which names them otherwise."""
    from transformers import EncodecConfig, EncodecModel

    model = EncodecModel(EncodecConfig())
    own = model.state_dict()
    # both list their parameters in the same order within a module; pair them by module and kind
    for name in own:
        theirs = name.replace(".layers.", ".model.", 1) if "coder." in name else name
        theirs = theirs.replace("quantizer.layers", "quantizer.vq.layers").replace(
            ".codebook.", "._codebook."
        )
        theirs = theirs.replace(".parametrizations.weight.original0", ".weight_g")
        theirs = theirs.replace(".parametrizations.weight.original1", ".weight_v")
        if theirs not in state:
            theirs = theirs.replace(".conv.", ".conv.conv.")
        if theirs not in state:
            theirs = theirs.replace(".conv.conv.", ".convtr.convtr.")
        own[name] = state[theirs]
    model.load_state_dict(own)
    if not old:
        return model.state_dict()
    swap = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for new, before in swap.items():
        own = {name.replace(new, before): value for name, value in own.items()}
    return own


@pytest.mark.parametrize("old", [True, False], ids=["weight_g", "parametrizations"])
def test_transformers_names(
    tmp_path: Path, state: dict[str, torch.Tensor], folded: dict[str, torch.Tensor], old: bool
) -> None:
    values = transformers_state(state, old=old)
    save_file({name: value.contiguous() for name, value in values.items()}, tmp_path / "model.safetensors")
    assert_is(read_codec(tmp_path / "model.safetensors", Layout()), folded)
    torch.save(values, tmp_path / "pytorch_model.bin")
    assert_is(read_codec(tmp_path / "pytorch_model.bin", Layout()), folded)


def test_a_file_that_is_folded_already(tmp_path: Path, folded: dict[str, torch.Tensor]) -> None:
    save_file({name: value.contiguous() for name, value in folded.items()}, tmp_path / "codec.safetensors")
    assert_is(read_codec(tmp_path / "codec.safetensors", Layout()), folded)


def test_files_have_one_identity_if_and_only_if_their_numbers_are_equal(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    torch.save(state, tmp_path / "a.th")
    torch.save(state, tmp_path / "b.th", _use_new_zipfile_serialization=False)
    other = {**state, "decoder.model.0.conv.conv.bias": state["decoder.model.0.conv.conv.bias"] + 1}
    torch.save(other, tmp_path / "c.th")
    first, second, third = (
        read_codec(tmp_path / name, Layout()).identity for name in ("a.th", "b.th", "c.th")
    )
    assert first == second
    assert first != third


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("decoder.model.6.convtr.convtr.weight_v"), r"no decoder\.model\.6.*weight_v"),
        (lambda s: s.pop("decoder.model.1.lstm.bias_hh_l1"), r"missing: decoder\.model\.1\.lstm\.bias_hh_l1"),
        (lambda s: s.pop("quantizer.vq.layers.7._codebook.embed"), r"missing: codebooks\.7"),
        (lambda s: s.pop("quantizer.vq.layers.0._codebook.embed"), "not EnCodec's 24 kHz model"),
        (lambda s: s.pop("decoder.model.4.block.1.conv.conv.weight_v"), "no decoder"),
        (lambda s: s.update({"decoder.model.0.conv.norm.weight": torch.ones(512)}), "not known: .*norm"),
        (lambda s: s.update({"decoder.model.15.conv.conv.weight_g": torch.ones(2, 1, 1)}), "for a direction"),
        (lambda s: s["decoder.model.0.conv.conv.weight_v"].zero_(), "length 0"),
        (
            lambda s: s.update({"decoder.model.12.convtr.convtr.weight_v": torch.ones(64, 32, 6)}),
            "480 samples a frame, not 320",
        ),
        (
            lambda s: s.update({"decoder.model.15.conv.conv.bias": torch.ones(2)}),
            r"decoder\.model\.15\.conv\.conv\.bias is float32 \(2,\), not floats \(1,\)",
        ),
        (
            lambda s: s.update({f"decoder.model.{'1' * 5000}.convtr.convtr.weight": torch.ones(2)}),
            "not EnCodec",
        ),
        (
            lambda s: s.update({f"quantizer.vq.layers.{'1' * 5000}._codebook.embed": torch.ones(2)}),
            "not known",
        ),
        (dict.clear, "no state dict"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, state: dict[str, torch.Tensor], change: Callable[[Any], Any], message: str
) -> None:
    changed = {name: value.clone() for name, value in state.items() if not name.startswith("encoder.")}
    change(changed)
    torch.save(changed, tmp_path / "wrong.th")
    with pytest.raises(WeightsError, match=message) as error:
        read_codec(tmp_path / "wrong.th", Layout())
    assert "wrong.th" in str(error.value)


def test_another_model_is_no_codec(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "linear.th")
    with pytest.raises(WeightsError, match="not EnCodec's 24 kHz model"):
        read_codec(tmp_path / "linear.th", Layout())
