"""Where the time of a decode step, a fine pass and a prefix goes, as ONNX Runtime's profile has it."""

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
from alrakis.export.contract import cache_type, prefix_parts
from alrakis.spec import CONTEXT, GPTShape, Stage
from alrakis.weights import open_weights

POSITION = 500
STEPS, STEPS_LEFT_OUT = 60, 10  # what is measured, and what warms up before
PASSES, PASSES_LEFT_OUT = 5, 1
PREFIX = 887  # positions that a full window of the coarse model begins with: 256 semantic, 1, 630 coarse

Runs = Callable[[Any], None]


def step_operators(weights: str, config: str, threads: int, rows: int) -> dict[str, float]:
    """Mean seconds by operator in a step of the coarse model at position 500, and of `all` of it."""
    with _exported(weights, config, "coarse") as (folder, shape):

        def runs(session: Any) -> None:
            binding, held = _bound(session, shape, rows)
            for _ in range(STEPS_LEFT_OUT + STEPS):
                session.run_with_iobinding(binding)
            del held

        return _by_operator(_profile(folder / "step.onnx", threads, runs), STEPS_LEFT_OUT)


def pass_operators(weights: str, config: str, threads: int) -> dict[str, float]:
    """Mean seconds by operator in a pass of the fine model over a whole window, and of `all` of it."""
    with _exported(weights, config, "fine") as (folder, shape):
        given = {"x": _embeddings(CONTEXT, shape), "first": np.array([0])}
        return _passes(folder / "fine.onnx", threads, [f"logits_{shape.n_codes_given}"], given)


def prefix_operators(weights: str, config: str, threads: int) -> dict[str, float]:
    """The same of a whole prefix of the coarse model, for a config with an int8 KV cache."""
    with _exported(weights, config, "coarse") as (folder, shape):
        given = {"x": _embeddings(PREFIX, shape), "parts": prefix_parts(PREFIX)}
        return _passes(folder / "prefill.onnx", threads, None, given)


def _embeddings(positions: int, shape: GPTShape) -> Any:
    return np.random.default_rng(0).standard_normal((1, positions, shape.n_embd), np.float32)


def _passes(path: Path, threads: int, wanted: list[str] | None, given: dict[str, Any]) -> dict[str, float]:
    def runs(session: Any) -> None:
        for _ in range(PASSES_LEFT_OUT + PASSES):
            session.run(wanted, given)

    return _by_operator(_profile(path, threads, runs), PASSES_LEFT_OUT)


def pass_products(weights: str) -> dict[str, int]:
    """Multiply-adds of a fine pass: of the `linears` of all blocks, and of `attention`."""
    shape = open_weights(weights).stage("fine").shape
    width = shape.n_layer * CONTEXT * shape.n_embd
    return {"linears": 12 * width * shape.n_embd, "attention": 2 * width * CONTEXT}


def prefix_products(weights: str) -> dict[str, int]:
    """Multiply-adds of a prefix; the last block makes keys and values of all positions, and no more."""
    shape = open_weights(weights).stage("coarse").shape
    parts = prefix_parts(PREFIX)
    linears = (12 * (shape.n_layer - 1) + 3) * shape.n_embd**2 * PREFIX
    seen = int(parts @ parts.cumsum())  # each part attends to those before it and to itself
    return {"linears": linears, "attention": 2 * (shape.n_layer - 1) * shape.n_embd * seen}


@contextmanager
def _exported(weights: str, config: str, stage: Stage) -> Iterator[tuple[Path, GPTShape]]:
    """The folder of a stage's artifact, and its shape."""
    opened = open_weights(weights)
    artifacts = Artifacts(opened, settle(load_config(config)))
    part = opened.stage(stage)
    try:
        yield artifacts.ensure(part).folder, part.shape
    finally:
        artifacts.close()


def _profile(path: Path, threads: int, runs: Runs) -> list[dict[str, Any]]:
    """The events of some runs of a graph."""
    with tempfile.TemporaryDirectory() as made:
        session = open_graph(path, threads, profile=Path(made) / "profile")
        runs(session)
        events: list[dict[str, Any]] = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    return events


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


def _by_operator(events: list[dict[str, Any]], left_out: int) -> dict[str, float]:
    """Mean seconds of a run by operator, the longest first, and `all` that a run takes."""
    runs = sorted(event["ts"] for event in events if event["name"] == "model_run")[left_out:]
    times: Counter[str] = Counter()
    for event in events:
        if event["ts"] < runs[0]:
            continue
        if event["name"] == "model_run":
            times["all"] += event["dur"]
        elif event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"]] += event["dur"]
    return {name: micros / 1e6 / len(runs) for name, micros in times.most_common()}
