"""The exported fine model beside torch, against torch's own of the same weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alrakis.backends.onnx import session as onnx_session
from alrakis.backends.torch import backend as torch_backend
from alrakis.backends.torch import exported
from alrakis.backends.torch.backend import TorchBackend
from alrakis.backends.torch.exported import ExportedFineGPT
from alrakis.backends.torch.fine import FineWindows, TorchFineGPT
from alrakis.config import Config
from alrakis.errors import ConfigError
from alrakis.export.build import build_stage
from alrakis.sampling import Draw, Sampling
from tests.backends.fake_cuda import CUDA, fake_cuda
from tests.backends.tiny import TinyWeights, codec_weights, stage_weights
from tests.backends.torch.test_backend import places, work

CPU = torch.device("cpu")
GREEDY = Sampling(0)
Open = Callable[..., ExportedFineGPT]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """The tiny fine model, exported and opened."""

    def make(precision: str = "fp32", device: torch.device = CPU) -> ExportedFineGPT:
        weights = stage_weights("fine")
        build_stage(weights, [range(1024)], precision, tmp_path)
        dtype = {"fp32": torch.float32, "fp16": torch.float16}[precision]
        return ExportedFineGPT(weights, tmp_path, 1024, 1, device, dtype)

    return make


def filled(gpt: FineWindows, codes: np.ndarray, start: np.ndarray, draws: list[Draw]) -> np.ndarray:
    window = gpt.begin(codes, 2)
    for codebook in range(2, 8):
        gpt.predict(window, codebook, start, [Draw(own.seed, codebook, own.sampling) for own in draws])
    return gpt.codes(window)


def codes_of(rows: int, frames: int) -> np.ndarray:
    codes = np.random.default_rng(frames).integers(0, 1024, (rows, frames, 8))
    codes[:, frames // 2 :, 2:] = 1024
    return codes


@pytest.mark.parametrize(("rows", "frames"), [(1, 1024), (1, 1), (3, 37)])
def test_tokens_are_torchs_own(rows: int, frames: int, opened: Open) -> None:
    """Every codebook of every frame, rows together, each from a frame of its own, drawn and not."""
    codes, start = codes_of(rows, frames), np.arange(rows) * (frames // 4)
    draws = [Draw(5 + row, 0, [Sampling(0.5), GREEDY, Sampling(0.9, top_k=20)][row]) for row in range(rows)]
    ours, theirs = opened(), TorchFineGPT(stage_weights("fine"), 1024, CPU, torch.float32)
    np.testing.assert_array_equal(filled(ours, codes, start, draws), filled(theirs, codes, start, draws))


@torch.inference_mode()
def test_in_fp16_it_is_close_to_fp32(opened: Open) -> None:
    codes = torch.tensor(codes_of(2, 40)).clamp(max=1023)
    exact, _ = TorchFineGPT(stage_weights("fine"), 1024, CPU, torch.float32).net(codes, None, 0, 3, 4, 1024)
    halves, known = opened("fp16").net(codes, None, 0, 3, 4, 1024)
    assert halves.dtype == known.dtype == torch.float16
    error = (halves.float() - exact).abs().max() / exact.std()
    assert 0 < error < 0.02


def config(**keys: Any) -> Config:
    trades = "a test" if keys.get("precision", "fp32") != "fp32" else ""
    return Config(backend="torch", fine="onnx", trades=trades, **{"device": "cpu", "threads": 1, **keys})


def test_a_backend_exports_it_once_and_opens_it_beside_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path))
    before = torch.get_num_threads()
    try:
        engine = TorchBackend(config(residency="one-stage"), TinyWeights())
        engine.prepare("text")
        assert not list(tmp_path.rglob("*.onnx"))
        engine.prepare("fine")
        (graph,) = tmp_path.rglob("*.onnx")
        made = graph.stat().st_mtime_ns
        for _ in range(2):
            for part in ("text", "fine"):
                work(engine, part)
                engine.done(part)
        assert graph.stat().st_mtime_ns == made
        fine = engine.fine()
        assert isinstance(fine, ExportedFineGPT)
        draws, start = [Draw(3, 0, Sampling(0.5))], np.array([0])
        theirs = TorchBackend(Config(backend="torch", device="cpu"), TinyWeights()).fine()
        assert isinstance(theirs, TorchFineGPT)
        codes = codes_of(1, 50)
        np.testing.assert_array_equal(filled(fine, codes, start, draws), filled(theirs, codes, start, draws))
        engine.close()
    finally:
        torch.set_num_threads(before)


class Card:
    """In place of the graph, where a card has it: what it is given, and nothing of it on the host."""

    made: list["Card"]

    def __init__(self, folder: Path, shape: Any, threads: int, device: str, index: int, **named: Any) -> None:
        self.where, self.named, self.runs = (device, index), named, []  # type: ignore[var-annotated]
        Card.made.append(self)

    def run(self, *given: Any) -> None:
        self.runs.append(given)


def test_on_a_gpu_nothing_but_codes_crosses_the_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fake tensors have no values to be read; their addresses are stood in for."""
    Card.made = []
    monkeypatch.setattr(exported, "FineGraph", Card)
    monkeypatch.setattr(exported, "Beside", Stream)
    given: list[torch.Tensor] = []
    monkeypatch.setattr(torch.Tensor, "data_ptr", lambda own: (given.append(own), len(given))[1])
    with fake_cuda():
        gpt = ExportedFineGPT(stage_weights("fine"), tmp_path, 1024, 1, CUDA, torch.float16)
        window = gpt.begin(codes_of(2, 40), 2)
        for codebook in range(2, 8):
            gpt.predict(window, codebook, np.array([8, 5]), [Draw(1, 0, Sampling(0.5))] * 2)
    (card,) = Card.made
    assert card.where == ("cuda", 0)
    assert card.named == {"stream": 77, "half": True}
    shapes = [(2, 40, 32), (2, 35, 1024)]
    assert [tuple(each.shape) for each in given] == shapes * 6
    assert all(each.device == CUDA and each.dtype == torch.float16 for each in given)
    assert all(each.is_contiguous() for each in given)
    assert [run[0] for run in card.runs] == list(range(2, 8))
    assert all(run[2:4] + run[5:] == ((2, 40), 5, 1024) for run in card.runs)
    assert Stream.entered == Stream.left == 6


class Stream:
    address = 77
    entered = left = 0

    def __init__(self, device: torch.device) -> None:
        Stream.entered = Stream.left = 0

    def __enter__(self) -> None:
        Stream.entered += 1

    def __exit__(self, *error: object) -> None:
        Stream.left += 1


def test_a_gpu_that_onnxruntime_does_not_know_is_said_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codec_weights()
    monkeypatch.setattr(torch_backend, "pick_device", lambda name: CUDA)
    monkeypatch.setattr(torch_backend, "pick_dtype", lambda precision, device: torch.float16)
    monkeypatch.setattr(onnx_session.ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    weights = TinyWeights()
    with pytest.raises(ConfigError, match=r"NVIDIA GPUs.*has CPUExecutionProvider.*alrakis\[gpu\]"):
        TorchBackend(config(device="cuda", precision="fp16"), weights)
    monkeypatch.setattr(torch_backend, "pick_device", lambda name: torch.device("mps"))
    with pytest.raises(ConfigError, match=r"Apple's GPU.*cpu_parts"):
        TorchBackend(config(device="auto"), weights)
    assert weights.read == []


def test_on_the_cpu_it_stays_there_beside_a_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALRAKIS_CACHE", str(tmp_path))
    monkeypatch.setattr(torch_backend, "pick_device", lambda name: torch.device("mps"))
    engine = TorchBackend(config(device="mps", cpu_parts=("fine",)), TinyWeights())
    engine.fine()
    assert places(engine) == {"fine": {CPU}}
