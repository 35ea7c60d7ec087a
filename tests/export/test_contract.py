"""What graphs and their runners agree on."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from alrakis.export.contract import PREFIX_PARTS, fine_frames, graph_heads, prefix_parts, session_options
from tests.backends.tiny import SHAPES


@pytest.mark.parametrize("depth", [64, 768, 3072])
def test_int8_products_do_not_overflow(depth: int) -> None:
    """The largest inputs times the largest weights: too much where two products are added in 16 bits."""
    random = np.random.default_rng(depth)
    weight = random.choice(np.array([-127, 127], np.int8), (depth, 16))
    x = np.full((8, depth), 255, np.float32)
    graph = helper.make_graph(
        [helper.make_node("DynamicQuantizeMatMul", ["x", "w", "s", "z"], ["y"], domain="com.microsoft")],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(weight, "w"),
            numpy_helper.from_array(np.ones(16, np.float32), "s"),
            numpy_helper.from_array(np.zeros(16, np.int8), "z"),
        ],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    session = ort.InferenceSession(
        model.SerializeToString(), session_options(1), providers=["CPUExecutionProvider"]
    )
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], x @ weight.astype(np.float32))


def test_a_head_that_begins_as_a_longer_one_is_read_off_it() -> None:
    assert graph_heads([range(11), range(10), range(20, 30)]) == [range(11), range(20, 30)]


@pytest.mark.parametrize("length", [PREFIX_PARTS, PREFIX_PARTS + 1, 257, 887])
def test_the_parts_of_a_prefix_are_alike_and_whole(length: int) -> None:
    parts = prefix_parts(length)
    assert parts.sum() == length
    assert parts.max() - parts.min() <= 1


@pytest.mark.parametrize("codebook", [2, 7])
def test_all_frames_are_one_head_s(codebook: int) -> None:
    frames = fine_frames(SHAPES["fine"], codebook, 20)
    assert frames.tolist() == [20 if head == codebook else 0 for head in range(1, 8)]
