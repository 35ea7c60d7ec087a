"""Nothing is computed that nobody asked for: attention in the last block, and heads."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from alrakis.export.accuracy.runner import open_graph
from alrakis.export.build import build_stage
from alrakis.export.contract import fine_frames, prefix_parts
from tests.backends.tiny import COARSE_HEADS, SHAPES, stage_weights

LENGTH, WIDTH = 50, SHAPES["fine"].n_embd
X = np.random.default_rng(0).standard_normal((1, LENGTH, WIDTH)).astype(np.float32)


def attended(path: Path, feed: dict[str, np.ndarray]) -> list[int]:
    """How many positions each block attends for, in a run of a graph."""
    model = onnx.load(path, load_external_data=False)
    names = [f"attention_{layer}" for layer in range(2)]
    for name in names:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    watched = path.with_stem("watched")
    onnx.save(model, watched)
    return [values.shape[1] for values in open_graph(watched, 1).run(names, feed)]


@pytest.mark.parametrize("first", [0, 20, 49])
def test_a_fine_pass_attends_for_the_frames_it_predicts(first: int, tmp_path: Path) -> None:
    build_stage(stage_weights("fine"), (range(1024),), "fp32", tmp_path)
    feed = {"x": X, "first": np.array([first]), "frames": fine_frames(SHAPES["fine"], 2, LENGTH - first)}
    assert attended(tmp_path / "fine.onnx", feed) == [LENGTH, LENGTH - first]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_fine_pass_runs_one_head(precision: str, tmp_path: Path) -> None:
    """onnxruntime 1.32 runs all of them even if one is fetched: those of other codebooks have no frames."""
    build_stage(stage_weights("fine"), (range(1024),), precision, tmp_path)
    session = open_graph(tmp_path / "fine.onnx", 1)
    for codebook in range(2, 8):
        feed = {"x": X, "first": np.array([20]), "frames": fine_frames(SHAPES["fine"], codebook, 30)}
        found = session.run(None, feed)
        assert [len(logits[0]) for logits in found] == [30 if k == codebook else 0 for k in range(1, 8)]


def test_a_prefix_attends_for_its_last_position(tmp_path: Path) -> None:
    scales = np.ones((2, 2, WIDTH), np.float32)
    build_stage(stage_weights("coarse"), COARSE_HEADS, "int8", tmp_path, cache_scales=scales)
    feed = {"x": X, "parts": prefix_parts(LENGTH)}
    assert attended(tmp_path / "prefill.onnx", feed) == [LENGTH, 1]
