"""Running exported graphs in the simplest way, to measure them; the backend runs them for speed."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from alrakis.sampling import FloatArray
from alrakis.spec import CONTEXT, GPTShape

_DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int8)": np.int8,
}


def open_graph(path: Path, threads: int | None = None) -> ort.InferenceSession:
    """A session on the CPU; threads None: as many as ONNX Runtime finds right."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class CausalGraph:
    """The graphs of a causal model and a KV cache for one sequence."""

    def __init__(self, folder: Path, shape: GPTShape, threads: int | None = None) -> None:
        self._step = open_graph(folder / "step.onnx", threads)
        many = folder / "prefill.onnx"
        self._many = open_graph(many, threads) if many.exists() else self._step
        if (folder / "cache_scales.npy").exists():  # `prefill` writes another type of cache than `step`
            self._many = self._step
        size = (1, shape.n_head, CONTEXT, shape.head_dim)
        kinds = {one.name: _DTYPES[one.type] for one in self._step.get_inputs() if one.type in _DTYPES}
        names = [f"{which}_{layer}" for layer in range(shape.n_layer) for which in ("key", "value")]
        self._cache = {name: np.zeros(size, kinds[name]) for name in names}
        self._length = 0

    def prefill(self, x: FloatArray) -> list[FloatArray]:
        """Begin with embeddings `(T, C)`; gives the logits after the last, `(ids,)`, by head."""
        self._length = 0
        return self._run(self._many, x)

    def step(self, x: FloatArray) -> list[FloatArray]:
        """Go on with one embedding `(1, C)`."""
        return self._run(self._step, x)

    def _run(self, session: ort.InferenceSession, x: FloatArray) -> list[FloatArray]:
        self._length += len(x)
        wanted = [one for one in session.get_outputs() if one.name.startswith("logits_")]
        logits = {one.name: np.empty((1, 1, one.shape[2]), np.float32) for one in wanted}
        feed = {
            "x": np.ascontiguousarray(x[None]),
            "past": np.array([self._length - 1], np.int32),
            "total": np.array(self._length, np.int32),
        }
        binding = session.io_binding()
        for name, array in {**feed, **self._cache}.items():
            binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        for name, array in {**logits, **{f"new_{key}": kept for key, kept in self._cache.items()}}.items():
            binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        session.run_with_iobinding(binding)
        return [array[0, 0] for array in logits.values()]
