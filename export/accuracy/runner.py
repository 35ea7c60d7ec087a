"""Running exported graphs in a simple way, to measure them; the backend runs them for speed."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from alrakis.export.contract import UNWANTED_FUSIONS, cache_type, prefix_parts, session_options
from alrakis.export.session import start_session
from alrakis.sampling import FloatArray
from alrakis.spec import CONTEXT, GPTShape


def open_graph(
    path: Path, threads: int | None = None, *, profile: Path | None = None
) -> ort.InferenceSession:
    """A session on the CPU. threads None: ONNX Runtime chooses.

    profile: the beginning of the path of a profile of its runs, which `end_profiling` writes.
    """
    options = session_options(threads)
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    return start_session(path, options, ["CPUExecutionProvider"], UNWANTED_FUSIONS)


class CausalGraph:
    """The graphs of a causal model, with the KV cache of a sequence."""

    def __init__(self, folder: Path, shape: GPTShape, threads: int | None = None) -> None:
        self._step = open_graph(folder / "step.onnx", threads)
        many = folder / "prefill.onnx"
        self._many = open_graph(many, threads) if many.exists() else self._step
        size, kind = (1, shape.n_head, CONTEXT, shape.head_dim), cache_type(self._step)
        self._whole = self._many is not self._step and kind == np.int8
        names = [f"{which}_{layer}" for layer in range(shape.n_layer) for which in ("key", "value")]
        self._cache = {name: np.zeros(size, kind) for name in names}
        self._length = 0

    def prefill(self, x: FloatArray) -> list[FloatArray]:
        """Run a prefix of embeddings `(T, C)`; returns the last position's logits of each head, `(ids,)`."""
        self._length = 0
        return self._run_whole(x) if self._whole else self._run(self._many, x)

    def step(self, x: FloatArray) -> list[FloatArray]:
        """Run the next embedding `(1, C)`; returns as `prefill`."""
        return self._run(self._step, x)

    def _run_whole(self, x: FloatArray) -> list[FloatArray]:
        """Run a prefix graph and put its keys and values into the cache."""
        names = [output.name for output in self._many.get_outputs()]
        values: list[Any] = self._many.run(names, {"x": x[None], "parts": prefix_parts(len(x))})
        found = dict(zip(names, values, strict=True))
        for name, kept in self._cache.items():
            kept[:, :, : len(x)] = found.pop(name)
        self._length = len(x)
        return [logits[0, 0] for logits in found.values()]

    def _run(self, session: ort.InferenceSession, x: FloatArray) -> list[FloatArray]:
        self._length += len(x)
        wanted = [output for output in session.get_outputs() if output.name.startswith("logits_")]
        logits = {output.name: np.empty((1, 1, output.shape[2]), np.float32) for output in wanted}
        feed = {
            "x": np.ascontiguousarray(x[None]),
            "past": np.array([self._length - 1], np.int32),
            "total": np.array(self._length, np.int32),
            "first": np.array([-1]),
        }
        binding = session.io_binding()
        for name, array in {**feed, **self._cache}.items():
            binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        for name, array in {**logits, **{f"new_{key}": kept for key, kept in self._cache.items()}}.items():
            binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        session.run_with_iobinding(binding)
        return [array[0, 0] for array in logits.values()]
