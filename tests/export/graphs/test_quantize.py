"""Quantization: within half a step of the weights, and in the layout that ONNX Runtime's operators read."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from alrakis.export.graphs.quantize import block_size, dequantize_blocks, quantize_blocks, quantize_columns
from alrakis.export.graphs.writer import Graph

matrices = st.tuples(st.integers(1, 9), st.integers(1, 300), st.integers(0, 2**32), st.floats(1e-4, 1e3))


def matrix(rows: int, width: int, seed: int, scale: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    weight = (random.standard_normal((rows, width)) * scale).astype(np.float32)
    weight[random.random(rows) < 0.2] = 0  # whole rows of zeros
    return weight


@given(matrices, st.sampled_from([4, 8]), st.sampled_from([16, 32, 64, 128]))
def test_blocks_are_within_half_a_step(
    given_matrix: tuple[int, int, int, float], bits: int, block: int
) -> None:
    weight = matrix(*given_matrix)
    packed, scales = quantize_blocks(weight, bits, block)
    assert packed.dtype == np.uint8
    assert packed.shape == (len(weight), -(-weight.shape[1] // block), block * bits // 8)
    off = np.abs(dequantize_blocks(packed, scales, bits, weight.shape[1]) - weight)
    steps = np.repeat(scales, block, axis=1)[:, : weight.shape[1]]
    assert (off <= steps * 0.5001).all()
    for row in range(len(weight)):  # brute force: a block's largest magnitude is its scale's top value
        for number in range(scales.shape[1]):
            peak = np.abs(weight[row, number * block : (number + 1) * block]).max()
            assert scales[row, number] == pytest.approx(peak / (2 ** (bits - 1) - 1) if peak else 1)


@given(matrices)
def test_columns_are_within_half_a_step(given_matrix: tuple[int, int, int, float]) -> None:
    weight = matrix(*given_matrix)
    values, scales = quantize_columns(weight)
    assert values.dtype == np.int8
    assert values.shape == weight.T.shape
    assert (np.abs(values.T * scales[:, None] - weight) <= scales[:, None] * 0.5001).all()
    assert np.abs(values.astype(int)).max() <= 127


@pytest.mark.parametrize(("width", "block"), [(768, 128), (1024, 128), (192, 64), (96, 32), (50, 32)])
def test_a_block_divides_the_width_where_one_can(width: int, block: int) -> None:
    assert block_size(width) == block


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("width", [64, 192, 256, 50])
def test_the_operator_reads_what_was_packed(bits: int, width: int, tmp_path: Path) -> None:
    """With fp32 activations (accuracy level 1) MatMulNBits is a product with the dequantized weights."""
    weight = matrix(24, width, 3, 1.0)
    block = block_size(width)
    packed, scales = quantize_blocks(weight, bits, block)
    graph = Graph(tmp_path, "one")
    x = graph.input("x", "float32", ["N", width])
    graph.output("y", "float32", ["N", 24])
    arrays = [graph.array("packed", packed), graph.array("scales", scales)]
    attributes = {"N": 24, "K": width, "bits": bits, "block_size": block, "accuracy_level": 1}
    graph.fused("MatMulNBits", [x, *arrays], ["y"], **attributes)
    graph.save()
    given_x = np.random.default_rng(4).standard_normal((5, width)).astype(np.float32)
    session = ort.InferenceSession(str(tmp_path / "one.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {"x": given_x})[0]
    np.testing.assert_allclose(
        found, given_x @ dequantize_blocks(packed, scales, bits, width).T, rtol=1e-4, atol=1e-4
    )


def test_large_arrays_lie_beside_the_graph_aligned(tmp_path: Path) -> None:
    graph = Graph(tmp_path, "two")
    graph.input("x", "float32", [700])
    graph.output("y", "float32", [700])
    large = np.arange(700, dtype=np.float32)
    graph.node("Add", ["x", graph.array("small", np.ones(1, np.float32))], "one_more")
    graph.node("Add", ["one_more", graph.array("large", large)], "sum")
    graph.node("Add", ["sum", graph.array("other", large * 2)], "y")
    graph.save()
    model = onnx.load(tmp_path / "two.onnx", load_external_data=False)
    offsets = {
        array.name: int(next(e.value for e in array.external_data if e.key == "offset"))
        for array in model.graph.initializer
        if array.external_data
    }
    assert offsets == {"large": 0, "other": 4096}
    assert model.opset_import[0].version == helper.make_opsetid("", 20).version
    session = ort.InferenceSession(str(tmp_path / "two.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": large})[0], large * 4 + 1)
