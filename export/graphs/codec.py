"""EnCodec's decoder as an ONNX graph.

Ported from `encodec/modules/seanet.py`, `conv.py` and `lstm.py` (encodec 0.1.1), causal, weight norm folded.
The caller pads the input of the first convolution, the only one that can be too short for reflection.
"""

from pathlib import Path

import numpy as np

from alrakis.export.graphs.writer import Graph
from alrakis.weights.types import Array, CodecWeights

DECODER = "decoder.model"


class CodecGraph:
    """Builds the decoder.

    Input: `z` (B, dimension, T + kernel - 1), sums of codebook vectors, padded on the left.
    Output: `audio` (B, 1, samples).
    """

    def __init__(self, weights: CodecWeights, folder: Path) -> None:
        self._weights = weights
        self._graph = Graph(folder, "codec")

    def build(self) -> None:
        graph, shape = self._graph, self._weights.shape
        graph.input("z", "float32", ["B", shape.dimension, "P"])
        x = self._convolution(f"{DECODER}.0.conv.conv", "z")
        x = self._lstm(f"{DECODER}.1.lstm", x)
        layer = 2
        for ratio in shape.ratios:
            x = self._upsample(f"{DECODER}.{layer + 1}.convtr.convtr", self._elu(x), ratio)
            x = self._residual(f"{DECODER}.{layer + 2}", x)
            layer += 3
        last = self._pad(self._elu(x), shape.kernel_size - 1)
        graph.output("audio", "float32", ["B", 1, "samples"])
        self._convolution(f"{DECODER}.{layer + 1}.conv.conv", last, "audio")
        graph.save()

    def _residual(self, name: str, x: str) -> str:
        kernel = self._weights.shape.residual_kernel_size
        inner = self._convolution(f"{name}.block.1.conv.conv", self._pad(self._elu(x), kernel - 1))
        inner = self._convolution(f"{name}.block.3.conv.conv", self._elu(inner))
        return self._graph.node("Add", [self._convolution(f"{name}.shortcut.conv.conv", x), inner], name)

    def _convolution(self, name: str, x: str, output: str = "") -> str:
        return self._graph.node("Conv", [x, *self._parameters(name)], output or name)

    def _upsample(self, name: str, x: str, ratio: int) -> str:
        """A transposed convolution of stride `ratio` and kernel 2 * ratio, cut off after the last frame.

        Each output sample depends on two frames. So it is written as a convolution of kernel 2 with `ratio`
        times as many channels, which ONNX Runtime runs faster than its ConvTranspose.
        """
        graph, weight = self._graph, self._array(f"{name}.weight")  # (in, out, 2 * ratio)
        now, before = weight[:, :, :ratio], weight[:, :, ratio:]
        kernel = np.stack([before, now], axis=-1).transpose(1, 2, 0, 3)  # (out, ratio, in, 2)
        channels = kernel.shape[0]
        parameters = [
            graph.array(f"{name}.weight", kernel.reshape(-1, *kernel.shape[2:])),
            graph.array(f"{name}.bias", np.repeat(self._array(f"{name}.bias"), ratio)),
        ]
        y = graph.node("Conv", [x, *parameters], f"{name}.phases", pads=[1, 0])
        split = graph.array(f"{name}.split", np.array([0, channels, ratio, -1]))
        y = graph.node("Reshape", [y, split], f"{name}.apart")
        y = graph.node("Transpose", [y], f"{name}.in_order", perm=[0, 1, 3, 2])
        return graph.node("Reshape", [y, graph.array(f"{name}.whole", np.array([0, channels, -1]))], name)

    def _lstm(self, name: str, x: str) -> str:
        """LSTM layers over time, whose output is added to their input."""
        graph = self._graph
        x = graph.node("Transpose", [x], f"{name}.in", perm=[2, 0, 1])
        y = x
        for layer in range(self._weights.shape.lstm_layers):
            part = f"{name}.{layer}"
            weights = [
                graph.array(f"{part}.{which}", self._gates(f"{name}.weight_{which}_l{layer}")[None])
                for which in ("ih", "hh")
            ]
            biases = [self._gates(f"{name}.bias_{which}_l{layer}") for which in ("ih", "hh")]
            bias = graph.array(f"{part}.bias", np.concatenate(biases)[None])
            hidden = len(biases[0]) // 4
            y = graph.node("LSTM", [y, *weights, bias], f"{part}.out", hidden_size=hidden)
            axis = graph.array(f"{part}.axis", np.array([1]))  # the axis of directions, of length 1
            y = graph.node("Squeeze", [y, axis], f"{part}.squeezed")
        y = graph.node("Add", [y, x], f"{name}.sum")
        return graph.node("Transpose", [y], name, perm=[1, 2, 0])

    def _gates(self, name: str) -> Array:
        """Gates in ONNX's order: input, output, forget, cell; torch has input, forget, cell, output."""
        i, f, c, o = np.split(self._array(name), 4)
        return np.concatenate([i, o, f, c])

    def _pad(self, x: str, count: int) -> str:
        """Reflection padding on the left, in two operators that ONNX Runtime runs faster than its Pad."""
        graph = self._graph
        bounds = {"from": count, "to": 0, "axis": 2, "step": -1}
        where = [graph.array(f"{x}.{bound}", np.array([value])) for bound, value in bounds.items()]
        mirrored = graph.node("Slice", [x, *where], f"{x}.mirrored")
        return graph.node("Concat", [mirrored, x], f"{x}.padded", axis=2)

    def _elu(self, x: str) -> str:
        return self._graph.node("Elu", [x], f"{x}.elu")

    def _parameters(self, name: str) -> list[str]:
        return [
            self._graph.array(f"{name}.{part}", self._array(f"{name}.{part}")) for part in ("weight", "bias")
        ]

    def _array(self, name: str) -> Array:
        return np.asarray(self._weights.arrays[name], np.float32)
