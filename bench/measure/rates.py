"""The limits of this machine: how fast it reads memory, and how fast it multiplies matrices."""

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from alrakis.export.contract import session_options

_TOTAL_BYTES = 2**30  # read by all threads together; larger than any cache
_THREAD_BYTES = 64 * 2**20  # read by each thread, at least
ROWS, COLUMNS, DEPTH = 1024, 4096, 4096  # so large that the time to read the matrices is negligible


def read_bandwidth(threads: int, repeats: int = 7) -> float:
    """Bytes a second that a number of threads, a core each, read together: the median of some runs."""
    threads = min(threads, os.cpu_count() or 1)  # more would read no faster, and take memory each
    size_bytes = max(_THREAD_BYTES, _TOTAL_BYTES // threads)
    arrays = [np.ones(size_bytes // 4, np.float32) for _ in range(threads)]
    rates = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats):
            began = time.perf_counter()
            list(pool.map(_read, arrays))
            rates.append(threads * size_bytes / (time.perf_counter() - began))
    return statistics.median(rates)


def _read(array: np.ndarray) -> float:
    """Read every number once; numpy lets other threads run at the same time."""
    return float(np.max(array))


def multiply_rate(kind: Literal["float32", "int8"], threads: int, repeats: int = 7) -> float:
    """Multiply-adds a second in one large matrix product: the median of some runs."""
    session, inputs = _product(kind, threads)
    rates = []
    session.run(None, inputs)
    for _ in range(repeats):
        began = time.perf_counter()
        session.run(None, inputs)
        rates.append(ROWS * COLUMNS * DEPTH / (time.perf_counter() - began))
    return statistics.median(rates)


def _product(kind: str, threads: int) -> tuple[ort.InferenceSession, dict[str, Any]]:
    """A session that multiplies its input by a constant matrix, and that input."""
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
    session = ort.InferenceSession(
        model.SerializeToString(), session_options(threads), providers=["CPUExecutionProvider"]
    )
    return session, {"left": left}
