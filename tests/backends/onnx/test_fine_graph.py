"""The fine model's graph by addresses: what is bound where, on a CPU and on a card that is stood in for."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from alrakis.backends.onnx import fine_graph
from alrakis.backends.onnx import session as onnx_session
from alrakis.backends.onnx.fine_graph import FineGraph
from alrakis.errors import BackendError
from alrakis.export.contract import fine_frames
from tests.backends.onnx.exported import Make
from tests.backends.tiny import SHAPES

SHAPE = SHAPES["fine"]
PROVIDERS = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.mark.parametrize(("precision", "kind"), [("fp32", np.float32), ("fp16", np.float16)])
def test_logits_are_written_where_they_are_wanted(precision: str, kind: Any, folder_of: Make) -> None:
    folder = folder_of("fine", precision)
    graph = FineGraph(folder, SHAPE, 1, "cpu", half=precision == "fp16")
    x = np.random.default_rng(0).standard_normal((2, 30, SHAPE.n_embd)).astype(kind)
    logits = np.full((2, 25, 1024), np.nan, kind)
    graph.run(4, x.ctypes.data, (2, 30), 5, logits.ctypes.data, 1024)
    session = ort.InferenceSession(folder / "fine.onnx", providers=["CPUExecutionProvider"])
    given = {"x": x, "first": np.array([5]), "frames": fine_frames(SHAPE, 4, 25)}
    (expected,) = session.run(["logits_4"], given)
    np.testing.assert_allclose(logits, expected, atol=1e-5 if precision == "fp32" else 1e-2)


class Session:
    """A session that keeps what it is bound to."""

    def __init__(self, providers: list[str], problem: str = "") -> None:
        self._providers, self._problem = providers, problem
        self.bound: list[tuple[Any, ...]] = []
        self.options: Any = None

    def get_providers(self) -> list[str]:
        return self._providers

    def io_binding(self) -> "Session":
        return self

    def bind_input(self, *given: Any) -> None:
        self.bound.append(given)

    bind_output = bind_input

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        self.options = options
        if self._problem:
            raise ValueError(self._problem)


def on_a_card(monkeypatch: pytest.MonkeyPatch, session: Session) -> tuple[FineGraph, list[Any]]:
    opened: list[Any] = []
    monkeypatch.setattr(onnx_session.ort, "get_available_providers", lambda: PROVIDERS)
    monkeypatch.setattr(fine_graph, "open_session", lambda *given: (opened.append(given), session)[1])
    return FineGraph(Path("folder"), SHAPE, 1, "cuda", 3, stream=99, half=True), opened


def test_on_a_card_only_shapes_are_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(PROVIDERS[1:])
    graph, ((path, _, providers),) = on_a_card(monkeypatch, session)
    assert path == Path("folder/fine.onnx")
    name, options = providers[0]
    assert (name, options["device_id"], options["user_compute_stream"]) == (PROVIDERS[1], "3", "99")
    assert options["use_tf32"] == "0"
    graph.run(4, 1000, (2, 30), 5, 2000, 1024)
    bound = {each[0]: each[1:] for each in session.bound}
    assert bound["x"] == ("cuda", 3, np.float16, (2, 30, SHAPE.n_embd), 1000)
    assert bound["logits_4"] == ("cuda", 3, np.float16, (2, 25, 1024), 2000)
    host = {name: place[0] for name, place in bound.items() if place[0] == "cpu"}
    assert host.keys() == {"first", "frames"}
    waits = session.options.get_run_config_entry("disable_synchronize_execution_providers")
    assert waits == "1"


def test_libraries_that_are_not_there_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match="could not load its CUDA libraries"):
        on_a_card(monkeypatch, Session(["CPUExecutionProvider"]))


def test_a_run_that_fails_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, _ = on_a_card(monkeypatch, Session(PROVIDERS, "Failed to allocate memory for 9 GB\nmore"))
    with pytest.raises(BackendError, match=r"Failed to allocate memory for 9 GB; lower max_batch"):
        graph.run(4, 1000, (2, 30), 5, 2000, 1024)
