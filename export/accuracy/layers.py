"""The error of each quantized linear, measured alone on the inputs that it has in fp32."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.external_data_helper import load_external_data_for_tensor

from alrakis.export.contract import session_options
from alrakis.export.session import start_session
from alrakis.sampling import FloatArray

QUANTIZED = ("MatMulNBits", "DynamicQuantizeMatMul")


class LayerErrors:
    """Watches a `ReferenceGPT` and runs the quantized linears of a folder's graphs on the same inputs.

    errors: for each graph and each quantized linear that the reference ran, the relative error (L2) of the
    outputs. progress: called with 1 for each linear.
    """

    def __init__(self, folder: Path, progress: Callable[[int], None] = lambda count: None) -> None:
        self._progress = progress
        self._graphs = {path.stem: _Graph(path) for path in sorted(folder.glob("*.onnx"))}
        self.errors: dict[str, dict[str, float]] = {}

    def __call__(self, name: str, x: FloatArray, exact: FloatArray) -> None:
        """Measure a linear, the first time only: its inputs `(T, K)`, its outputs in fp32 `(T, N)`."""
        self._progress(1)
        for graph, linears in self._graphs.items():
            errors = self.errors.setdefault(graph, {})
            if name in linears.nodes and name not in errors:
                off = linears.run(name, x) - exact
                errors[name] = float(np.linalg.norm(off) / max(np.linalg.norm(exact), 1e-30))


class _Graph:
    """A graph whose linears can be run one at a time."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._model = onnx.load(path, load_external_data=False)
        self._arrays = {array.name: array for array in self._model.graph.initializer}
        self.nodes = {
            node.input[1].removesuffix(".weight"): node
            for node in self._model.graph.node
            if node.op_type in QUANTIZED
        }

    def run(self, name: str, x: FloatArray) -> FloatArray:
        node = self.nodes[name]
        graph = helper.make_graph(
            [node],
            name,
            [helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, x.shape)],
            [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)],
            [self._array(array) for array in node.input[1:] if array],
        )
        model = helper.make_model(
            graph, opset_imports=self._model.opset_import, ir_version=self._model.ir_version
        )
        session = start_session(model.SerializeToString(), session_options(), ["CPUExecutionProvider"], ())
        outputs: list[Any] = session.run(None, {node.input[0]: np.ascontiguousarray(x, np.float32)})
        found: FloatArray = outputs[0]
        return found

    def _array(self, name: str) -> TensorProto:
        array = TensorProto()
        array.CopyFrom(self._arrays[name])
        if array.data_location == TensorProto.EXTERNAL:
            load_external_data_for_tensor(array, str(self._folder))
            array.data_location = TensorProto.DEFAULT
            del array.external_data[:]
        return array
