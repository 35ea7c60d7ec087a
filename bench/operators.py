"""Where a decode step's time goes: its operators, as ONNX Runtime's own profile has them."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.backends import settle
from alrakis.config import load_config
from alrakis.export.artifacts import Artifacts
from alrakis.export.run import cache_type, open_graph
from alrakis.spec import CONTEXT, GPTShape
from alrakis.weights import open_weights

POSITION = 500
STEPS = 60
WARMUP = 10  # steps that are left out


def operator_times(weights: str, config: str, threads: int, rows: int) -> dict[str, float]:
    """Seconds that each kind of operator takes in a step of the coarse model at position 500."""
    opened = open_weights(weights)
    artifacts = Artifacts(opened, settle(load_config(config)))
    stage = opened.stage("coarse")
    folder = artifacts.ensure(stage).folder
    with tempfile.TemporaryDirectory() as made:
        session = open_graph(folder / "step.onnx", threads, profile=Path(made) / "step")
        binding, buffers = _bound(session, stage.shape, rows)
        for _ in range(WARMUP + STEPS):
            session.run_with_iobinding(binding)
        del buffers
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    artifacts.close()
    return _by_operator(events)


def _bound(session: Any, shape: GPTShape, rows: int) -> tuple[Any, list[Any]]:
    """A binding of every input and output, and what it points into; the cache is bound to itself."""
    kind = cache_type(session)
    named = {
        "x": np.ones((rows, 1, shape.n_embd), np.float32),
        "past": np.full(rows, POSITION, np.int32),
        "total": np.array(POSITION + 1, np.int32),
        "first": np.array([-1]),
    }
    cache = {
        f"{which}_{layer}": np.ones((rows, shape.n_head, CONTEXT, shape.head_dim), kind)
        for layer in range(shape.n_layer)
        for which in ("key", "value")
    }
    first = next(one for one in session.get_outputs() if one.name == "logits_0")
    outputs = {"logits_0": np.empty((rows, 1, first.shape[2]), np.float32)}
    outputs |= {f"new_{name}": array for name, array in cache.items()}
    binding = session.io_binding()
    for bind, arrays in ((binding.bind_input, named | cache), (binding.bind_output, outputs)):
        for name, array in arrays.items():
            bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
    return binding, [named, cache, outputs]


def _by_operator(events: list[dict[str, Any]]) -> dict[str, float]:
    """Mean seconds of a run by operator, the longest first, and `all` that a run takes."""
    runs = sorted(event["ts"] for event in events if event["name"] == "model_run")
    begin = runs[WARMUP]
    times: Counter[str] = Counter()
    for event in events:
        if event["ts"] < begin:
            continue
        if event["name"] == "model_run":
            times["all"] += event["dur"]
        elif event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"]] += event["dur"]
    return {name: micros / 1e6 / STEPS for name, micros in times.most_common()}
