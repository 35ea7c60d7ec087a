"""Profiles a decode step, a fine pass and a coarse prefix with ONNX Runtime: seconds by operator."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from alrakis.backends import settle
from alrakis.config import load_config
from alrakis.export.accuracy.runner import open_graph
from alrakis.export.artifacts import Artifacts
from alrakis.export.contract import cache_type, fine_frames, prefix_parts
from alrakis.spec import CONTEXT, GPTShape, Stage
from alrakis.weights import open_weights

POSITION = 500
STEPS, WARM_UP_STEPS = 60, 10
PASSES, WARM_UP_PASSES = 5, 1
PREFIX = 887  # positions of the longest coarse prefix: 256 semantic tokens, 1 between, 630 coarse ones


def step_operators(weights: str, config: str, threads: int, batch: int) -> dict[str, float]:
    """Mean seconds by operator of a decode step of the coarse model at position 500; `all` is the whole."""
    with _exported(weights, config, "coarse") as (folder, shape):

        def run_steps(session: Any) -> None:
            binding, arrays = _bind(session, shape, batch)
            for _ in range(WARM_UP_STEPS + STEPS):
                session.run_with_iobinding(binding)
            del arrays

        return _by_operator(_profile(folder / "step.onnx", threads, run_steps), WARM_UP_STEPS)


def pass_operators(weights: str, config: str, threads: int) -> dict[str, float]:
    """The same for a pass of the fine model over a whole window."""
    with _exported(weights, config, "fine") as (folder, shape):
        codebook = shape.n_codes_given
        inputs = {"x": _embeddings(CONTEXT, shape), "first": np.array([0])}
        inputs["frames"] = fine_frames(shape, codebook, CONTEXT)
        return _profile_passes(folder / "fine.onnx", threads, [f"logits_{codebook}"], inputs)


def prefix_operators(weights: str, config: str, threads: int) -> dict[str, float]:
    """The same for the longest prefix of the coarse model; the config must have an int8 KV cache."""
    with _exported(weights, config, "coarse") as (folder, shape):
        inputs = {"x": _embeddings(PREFIX, shape), "parts": prefix_parts(PREFIX)}
        return _profile_passes(folder / "prefill.onnx", threads, None, inputs)


def _embeddings(positions: int, shape: GPTShape) -> Any:
    return np.random.default_rng(0).standard_normal((1, positions, shape.n_embd), np.float32)


def _profile_passes(
    path: Path, threads: int, outputs: list[str] | None, inputs: dict[str, Any]
) -> dict[str, float]:
    def run_passes(session: Any) -> None:
        for _ in range(WARM_UP_PASSES + PASSES):
            session.run(outputs, inputs)

    return _by_operator(_profile(path, threads, run_passes), WARM_UP_PASSES)


def pass_products(weights: str) -> dict[str, int]:
    """Multiply-adds of a fine pass: in the `linears` of all blocks, and in `attention`."""
    shape = open_weights(weights).stage("fine").shape
    width = shape.n_layer * CONTEXT * shape.n_embd
    return {"linears": 12 * width * shape.n_embd, "attention": 2 * width * CONTEXT}


def prefix_products(weights: str) -> dict[str, int]:
    """The same for the longest coarse prefix; the last block only makes its keys and values."""
    shape = open_weights(weights).stage("coarse").shape
    parts = prefix_parts(PREFIX)
    linears = (12 * (shape.n_layer - 1) + 3) * shape.n_embd**2 * PREFIX
    seen = int(parts @ parts.cumsum())  # each part attends to the parts before it and to itself
    return {"linears": linears, "attention": 2 * (shape.n_layer - 1) * shape.n_embd * seen}


@contextmanager
def _exported(weights: str, config: str, stage: Stage) -> Iterator[tuple[Path, GPTShape]]:
    """The folder of a stage's exported graphs, and its shape."""
    opened = open_weights(weights)
    artifacts = Artifacts(opened, settle(load_config(config)))
    stage_weights = opened.stage(stage)
    try:
        yield artifacts.ensure(stage_weights).folder, stage_weights.shape
    finally:
        artifacts.close()


def _profile(path: Path, threads: int, run: Callable[[Any], None]) -> list[dict[str, Any]]:
    """The events of a graph's profile. run: runs the session that it is given."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_graph(path, threads, profile=Path(folder) / "profile")
        run(session)
        events: list[dict[str, Any]] = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return events


def _bind(session: Any, shape: GPTShape, batch: int) -> tuple[Any, list[Any]]:
    """A binding of all inputs and outputs, and the arrays it points to; the cache is updated in place."""
    dtype = cache_type(session)
    inputs = {
        "x": np.ones((batch, 1, shape.n_embd), np.float32),
        "past": np.full(batch, POSITION, np.int32),
        "total": np.array(POSITION + 1, np.int32),
        "first": np.array([-1]),
    }
    cache = {
        f"{name}_{layer}": np.ones((batch, shape.n_head, CONTEXT, shape.head_dim), dtype)
        for layer in range(shape.n_layer)
        for name in ("key", "value")
    }
    logits = next(output for output in session.get_outputs() if output.name == "logits_0")
    outputs = {"logits_0": np.empty((batch, 1, logits.shape[2]), np.float32)}
    outputs |= {f"new_{name}": array for name, array in cache.items()}
    binding = session.io_binding()
    for bind, arrays in ((binding.bind_input, inputs | cache), (binding.bind_output, outputs)):
        for name, array in arrays.items():
            bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
    return binding, [inputs, cache, outputs]


def _by_operator(events: list[dict[str, Any]], warm_up: int) -> dict[str, float]:
    """Mean seconds of a run by operator, the longest first. warm_up: runs that are left out."""
    runs = sorted(event["ts"] for event in events if event["name"] == "model_run")[warm_up:]
    times: Counter[str] = Counter()
    for event in events:
        if event["ts"] < runs[0]:
            continue
        if event["name"] == "model_run":
            times["all"] += event["dur"]
        elif event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"]] += event["dur"]
    return {name: micros / 1e6 / len(runs) for name, micros in times.most_common()}
