"""Writing an ONNX graph node by node, with its large arrays in a second file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
MS_OPSET = 1
IR_VERSION = 10
MICROSOFT = "com.microsoft"  # ONNX Runtime's own operators

_ALIGNMENT_BYTES = 4096  # so that ONNX Runtime can map arrays instead of reading them
_INLINE_BYTES = 1024  # smaller arrays are written into the graph

_TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "int8": TensorProto.INT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
}


class Graph:
    """Writes a graph into a folder: `name.onnx`, and `name.bin` for its arrays.

    Each array is written at once, so that a large model is never in memory as a whole.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.onnx"
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._arrays: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._data = (folder / f"{name}.bin").open("wb")

    def input(self, name: str, kind: str, shape: Sequence[int | str]) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, _TYPES[kind], shape))
        return name

    def output(self, name: str, kind: str, shape: Sequence[int | str]) -> str:
        self._outputs.append(helper.make_tensor_value_info(name, _TYPES[kind], shape))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a standard operator with one output; returns its name."""
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def nodes(self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        """Add a standard operator with several outputs."""
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    def fused(self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> str:
        """Add an operator of ONNX Runtime's own; returns the name of its first output."""
        self._nodes.append(helper.make_node(kind, inputs, outputs, domain=MICROSOFT, **attributes))
        return outputs[0]

    def array(self, name: str, values: np.ndarray[Any, Any]) -> str:
        """Add a constant array; returns its name."""
        values = np.ascontiguousarray(values)
        if values.nbytes < _INLINE_BYTES:
            self._arrays.append(numpy_helper.from_array(values, name))
            return name
        self._data.write(b"\0" * (-self._data.tell() % _ALIGNMENT_BYTES))
        tensor = TensorProto(
            name=name,
            data_type=helper.np_dtype_to_tensor_dtype(values.dtype),
            dims=values.shape,
            data_location=TensorProto.EXTERNAL,
        )
        place = {"location": f"{self._name}.bin", "offset": self._data.tell(), "length": values.nbytes}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
        self._data.write(values.data)
        self._arrays.append(tensor)
        return name

    def save(self) -> None:
        """Write the graph and close its data file."""
        self._data.close()
        graph = helper.make_graph(self._nodes, self._name, self._inputs, self._outputs, self._arrays)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, MS_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="alrakis")
        onnx.save(model, self._path)
