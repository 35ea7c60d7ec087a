"""How fast ONNX Runtime multiplies matrices on this machine: what passes over many positions are bound by."""

import statistics
import time
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ROWS, COLUMNS, DEPTH = 1024, 4096, 4096  # large enough that reading them does not count


def multiply_rate(kind: Literal["float32", "int8"], threads: int, repeats: int = 7) -> float:
    """Multiply-adds a second of one large product: the median over `repeats` runs."""
    session, given = _product(kind, threads)
    rates = []
    session.run(None, given)
    for _ in range(repeats):
        began = time.perf_counter()
        session.run(None, given)
        rates.append(ROWS * COLUMNS * DEPTH / (time.perf_counter() - began))
    return statistics.median(rates)


def _product(kind: str, threads: int) -> tuple[ort.InferenceSession, dict[str, Any]]:
    """A session that multiplies its input with a constant, and that input."""
    if kind == "float32":
        operator, types = "MatMul", (TensorProto.FLOAT, TensorProto.FLOAT)
        left, right = np.ones((ROWS, DEPTH), np.float32), np.ones((DEPTH, COLUMNS), np.float32)
    else:
        operator, types = "MatMulInteger", (TensorProto.UINT8, TensorProto.INT32)
        left, right = np.ones((ROWS, DEPTH), np.uint8), np.ones((DEPTH, COLUMNS), np.int8)
    graph = helper.make_graph(
        [helper.make_node(operator, ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", types[0], left.shape)],
        [helper.make_tensor_value_info("product", types[1], [ROWS, COLUMNS])],
        [numpy_helper.from_array(right, "right")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session, {"left": left}
