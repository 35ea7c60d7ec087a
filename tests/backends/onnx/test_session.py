"""Opening sessions: what this onnxruntime can, and what is said where it cannot."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper

from alrakis.backends.onnx import session as onnx_session
from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.onnx.session import (
    bind,
    check_version,
    load_table,
    only_what_is_asked,
    open_session,
    pick_providers,
    settle_cache,
)
from alrakis.config import load_config
from alrakis.engine import Engine
from alrakis.errors import ArtifactError, BackendError, ConfigError
from tests.backends.onnx.exported import PROVIDERS, Make
from tests.backends.tiny import SHAPES, TEXT_HEADS


def test_onnx_runtime_keeps_and_sends_no_figures_of_its_use(tmp_path: Path) -> None:
    """Imported first, it made a file of them and of an identity in the folder of caches, or warned."""
    program = "import alrakis, onnxruntime\nfrom alrakis.backends.onnx import session"
    (tmp_path / "file").touch()
    for cache in ("cache", "file/none"):
        own = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / cache)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ORT_")}
        ended = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env={**kept, **own}, capture_output=True, text=True
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.rglob("*")] == ["file"]


def test_what_does_not_open_is_said(folder_of: Make) -> None:
    folder = folder_of("text")
    (folder / "step.onnx").write_bytes(b"no graph")
    with pytest.raises(ArtifactError, match=r"step\.onnx"):
        OnnxCausalGPT(folder, SHAPES["text"], "text", TEXT_HEADS, 1, PROVIDERS, 1)


def test_a_gpu_is_refused_with_a_reason() -> None:
    assert pick_providers("auto") == pick_providers("cpu") == PROVIDERS
    for device in ("mps", "cuda", "cuda:1"):
        with pytest.raises(ConfigError, match=rf"'{device}'.*caches in main memory.*'gpu-bf16'"):
            pick_providers(device)


@pytest.mark.parametrize(("kv_cache", "needed"), [("full", "1.22"), ("int8", "1.32")])
def test_an_onnxruntime_that_is_too_old_is_told_what_is_needed(
    kv_cache: str, needed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_version(kv_cache)
    monkeypatch.setattr(onnx_session.ort, "__version__", "1.21.3")
    with pytest.raises(BackendError, match=rf"1\.21\.3 is too old: {needed}"):
        check_version(kv_cache)


@pytest.mark.parametrize("preset", ["cpu-int8", "cpu-int4", "cpu-realtime"])
def test_an_onnxruntime_without_an_int8_cache_gets_an_fp32_one_with_a_line(
    preset: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="alrakis")
    assert settle_cache(load_config(preset)).kv_cache == "int8"
    assert not caplog.messages
    monkeypatch.setattr(onnx_session.ort, "__version__", "1.31.0")
    with Engine("synthetic-tiny", preset, threads=1) as engine:
        assert engine.config.kv_cache == "full"
        (line,) = caplog.messages
        assert "onnxruntime 1.31.0 cannot" in line
        assert "1.32 can" in line
        assert (
            engine.backend.coarse().position_bytes == 2 * 4 * engine.weights.stage("coarse").shape.n_embd * 2
        )
    with Engine("synthetic-tiny", "cpu-int8", threads=1, kv_cache="full") as engine:
        assert engine.config.kv_cache == "full"
    with pytest.raises(BackendError, match=r"1\.31\.0 is too old: 1\.32 or newer has an int8 KV cache"):
        Engine("synthetic-tiny", preset, kv_cache="int8")


def test_tables_are_mapped_and_damaged_ones_told(tmp_path: Path) -> None:
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.save(tmp_path / "positions.npy", table)
    found = load_table(tmp_path, "positions")
    np.testing.assert_array_equal(found, table)
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    (tmp_path / "positions.npy").write_bytes(b"no table")
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    for name in ("positions", "objects", "nowhere"):
        with pytest.raises(ArtifactError, match=rf"{name}\.npy cannot be read"):
            load_table(tmp_path, name)


def two_outputs(path: Path) -> ort.InferenceSession:
    """A graph that negates x, and takes a column of it that may not be there."""
    nodes = [
        helper.make_node("Gather", ["x", "at"], ["column"], axis=1),
        helper.make_node("Neg", ["x"], ["less"]),
    ]
    floats = {"x": ["rows", 3], "column": ["rows", 1], "less": ["rows", 3]}
    x, column, less = (
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in floats.items()
    )
    at = helper.make_tensor_value_info("at", onnx.TensorProto.INT64, [1])
    graph = helper.make_graph(nodes, "two outputs", [x, at], [column, less])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return open_session(path, 1, PROVIDERS)


@pytest.mark.parametrize("rows", [1, 4])
def test_a_run_reads_and_writes_the_arrays_that_are_bound(tmp_path: Path, rows: int) -> None:
    session = two_outputs(tmp_path / "two.onnx")
    given, at = np.arange(3.0 * rows, dtype=np.float32).reshape(rows, 3), np.array([0])
    found = {"column": np.empty((rows, 1), np.float32), "less": np.empty((rows, 3), np.float32)}
    binding = session.io_binding()
    bind(binding, "x", given)
    bind(binding, "at", at)
    for name, array in found.items():
        bind(binding, name, array, output=True)
    for place, options in enumerate((only_what_is_asked(), only_what_is_asked(give_back=True))):
        at[0] = place  # the caller's own memory: nothing is bound again
        session.run_with_iobinding(binding, options)
        np.testing.assert_array_equal(found["less"], -given)
        np.testing.assert_array_equal(found["column"][:, 0], given[:, place])
