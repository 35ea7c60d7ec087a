"""On a real GPU: the same numbers as on the CPU, by graphs that were recorded once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from alrakis.backends.torch.backend import TorchBackend
from alrakis.backends.torch.codec import TorchCodec
from alrakis.backends.torch.cuda import Arrival, Graphs
from alrakis.backends.torch.exported import ExportedFineGPT
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.backends.torch.noise import DeviceNoise, exponential
from alrakis.backends.torch.noise_kernel import one_kernel
from alrakis.backends.torch.steps import STRIDE
from alrakis.config import Config
from alrakis.errors import BackendError
from alrakis.export.build import build_stage
from alrakis.sampling import Draw, Draws, Sampling, StageNoise
from alrakis.spec import STAGES, Stage
from tests.backends.tiny import COARSE_HEADS, TEXT_HEADS, TinyWeights, codec_weights, stage_weights

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

CPU, CUDA = torch.device("cpu"), torch.device("cuda:0")


def tokens_of(rows: int, length: int, below: int = 96) -> np.ndarray:
    return np.random.default_rng(length).integers(0, below, (rows, length))


def gpt(device: torch.device, dtype: torch.dtype = torch.float32, **options: Any) -> TorchCausalGPT:
    return TorchCausalGPT(stage_weights("text"), TEXT_HEADS, device, dtype, slots=4, **options)


WAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "as they are": dict,
    "recorded": lambda: {"recorder": Graphs(CUDA)},
    "compiled and recorded": lambda: {"compile": True, "recorder": Graphs(CUDA)},
}


def alone(tokens: np.ndarray, added: np.ndarray, draws: Draws) -> list[int]:
    """On the CPU, step by step."""
    lone = gpt(CPU)
    logits, drawn = lone.admit([0], tokens, added), []
    for done in range(draws.count):
        if done:
            logits = lone.step([0])
        drawn.append(int(lone.read(lone.draw(logits, [0], [draws.at(done)]))[0]))
    return drawn


@pytest.mark.parametrize("way", WAYS)
def test_tokens_are_the_cpus(way: str) -> None:
    """Slots at positions of their own, over a bucket's edge; one leaves, one comes; top_k beside."""
    model, added = gpt(CUDA, **WAYS[way]()), tokens_of(1, 200)
    if way == "recorded":  # compiled, each takes its time: only those that are needed
        model.record(lambda _: None)
    samplings = [Sampling(0.7, stop_p=0.9), Sampling(0), Sampling(0.7, 20, 0.9), Sampling(1.2)]
    rows = {
        slot: (tokens_of(1, 250 + 85 * slot), Draws(slot, 7, samplings[slot], (0,), 40)) for slot in range(4)
    }
    found: dict[int, list[int]] = {slot: [] for slot in rows}
    for slot in (0, 1, 2):
        model.enter([slot], rows[slot][0], added)
    moving = [0, 1, 2]
    while moving:
        draws = [
            Draws(own.seed, own.step + len(found[slot]), own.sampling, (0,), own.count - len(found[slot]))
            for slot, (_, own) in ((slot, rows[slot]) for slot in moving)
        ]
        drawn = model.read(model.advance(moving, draws))
        for slot, row, own in zip(moving, drawn, draws, strict=True):
            found[slot] += row[: min(STRIDE, own.count)].tolist()
        if 3 not in moving and not found[3]:
            model.leave(2)  # in the middle of its run
            model.enter([3], rows[3][0], added)
            moving = [0, 1, 3]
        moving = [slot for slot in moving if len(found[slot]) < rows[slot][1].count]
    for slot, (tokens, own) in rows.items():
        assert found[slot] == alone(tokens, added, own)[: len(found[slot])]
        assert len(found[slot]) == (STRIDE if slot == 2 else 40)


def test_graphs_are_recorded_at_the_beginning_and_share_their_memory() -> None:
    recorder = Graphs(CUDA)
    model = gpt(CUDA, recorder=recorder)
    model.record(lambda _: None)
    made = dict(model._made_steps()._ready)
    assert len(made) == model.recordings
    pool = recorder._pool
    for length in (20, 300, 600, 900):
        model.enter([0, 1, 2], tokens_of(3, length))
        draws = [Draws(seed, 0, Sampling(0.7), (0,), 30) for seed in range(3)]
        model.read(model.advance([0, 1, 2], draws))
    assert model._made_steps()._ready == made
    assert recorder._pool == pool


def test_what_cannot_be_recorded_is_said_and_the_device_can_be_used_after_it() -> None:
    tensor = torch.ones(3, device=CUDA)
    with pytest.raises(BackendError, match="cuda_graphs = false"):
        Graphs(CUDA).record(lambda: tensor.fill_(tensor.sum().item()))  # type: ignore[arg-type, return-value]
    replay = Graphs(CUDA).record(lambda: tensor.add_(1))  # type: ignore[arg-type, return-value]
    before = tensor.tolist()
    replay()
    assert tensor.tolist() == [value + 1 for value in before]


def test_tokens_arrive_while_the_device_goes_on() -> None:
    tokens = torch.arange(12, device=CUDA).view(3, 4)
    arrival = Arrival(tokens)
    tokens.zero_()
    assert arrival._host.is_pinned()
    assert arrival[[2, 0]].read().tolist() == [[8, 9, 10, 11], [0, 1, 2, 3]]


@pytest.mark.parametrize("stage", ["text", "fine"])
def test_noise_is_the_hosts(stage: Stage) -> None:
    """As integers it is equal; as floats, in the last places."""
    draws = [Draw(seed, step, Sampling(1.0)) for seed, step in ((0, 0), (2**64 - 1, 700), (5, 2**40))]
    expected = StageNoise(stage).rows(draws, 10_000)
    found = DeviceNoise(stage, CUDA).rows(draws, 10_000).cpu().numpy()
    assert (np.abs(found - expected) <= 5 * np.spacing(expected)).all()


@pytest.mark.parametrize("way", ["as they are", "recorded"])
def test_no_stride_waits_for_the_device(way: str) -> None:
    model = gpt(CUDA, **WAYS[way]())
    model.enter([0, 1], tokens_of(2, 40))
    sampling = Sampling(0.7, stop_p=0.5)
    draws = [Draws(seed, 0, sampling, (0,), 200) for seed in (1, 2)]
    model.read(model.advance([0, 1], draws))
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for done in range(STRIDE, 5 * STRIDE, STRIDE):
            draws = [Draws(seed, done, sampling, (0,), 200 - done) for seed in (1, 2)]
            last = model.advance([0, 1], draws)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert (model.read(last) >= 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_lower_precisions_are_close(dtype: torch.dtype) -> None:
    exact, lower, tokens = gpt(CPU), gpt(CUDA, dtype), tokens_of(2, 30)
    expected, found = (model.admit([0, 1], tokens)[0].cpu().numpy() for model in (exact, lower))
    np.testing.assert_allclose(found, expected, atol=0.15, rtol=0.05)
    for step in range(3):
        for model in (exact, lower):
            model.feed([0, 1], np.array([5, 50 + step]))
        expected, found = (model.step([0, 1])[0].cpu().numpy() for model in (exact, lower))
        np.testing.assert_allclose(found, expected, atol=0.15, rtol=0.05)


@pytest.mark.parametrize("compile", [False, True])
def test_fine_codes_are_the_cpus(compile: bool) -> None:
    codes = np.random.default_rng(0).integers(0, 1024, (2, 64, 8))
    filled = []
    for fine in (
        TorchFineGPT(stage_weights("fine"), 1024, CPU, torch.float32),
        TorchFineGPT(stage_weights("fine"), 1024, CUDA, torch.float32, compile=compile),
    ):
        window = fine.begin(codes, 2)
        for codebook in range(2, 8):
            draws = [Draw(seed, codebook, Sampling(0.5)) for seed in (1, 2)]
            fine.predict(window, codebook, np.array([5, 9]), draws)
        filled.append(fine.codes(window))
    assert np.array_equal(*filled)


@pytest.mark.filterwarnings("error:RNN module weights")
def test_samples_are_the_cpus() -> None:
    codes = np.random.default_rng(0).integers(0, 1024, (1, 8, 50))
    here, there = (TorchCodec(codec_weights(), device).decode(codes) for device in (CPU, CUDA))
    np.testing.assert_allclose(there, here, atol=1e-4 * np.abs(here).max(), rtol=1e-3)


def test_offload_keeps_one_part_on_the_device_and_memory_is_given_back() -> None:
    weights = TinyWeights()
    plain = TorchBackend(Config(backend="torch", device="cuda:0"), weights)
    moved = TorchBackend(Config(backend="torch", device="cuda:0", offload=True), weights)
    codes = np.random.default_rng(0).integers(0, 1024, (1, 8, 20))
    for _ in range(2):
        prefix = tokens_of(1, 30)
        expected = plain.text().admit([0], prefix)
        torch.testing.assert_close(moved.text().admit([0], prefix), expected)
        moved.done("text")
        assert {p.device for p in moved._parts["text"].net.parameters()} == {CPU}
        np.testing.assert_allclose(moved.codec().decode(codes), plain.codec().decode(codes), atol=1e-4)
        moved.done("codec")
    coarse = TorchCausalGPT(stage_weights("coarse"), COARSE_HEADS, CPU, torch.float32)
    prefix = tokens_of(1, 30, 2112)
    there, here = (gpt.admit([0], prefix) for gpt in (moved.coarse(), coarse))
    torch.testing.assert_close([logits.cpu() for logits in there], here, atol=1e-4, rtol=1e-3)
    moved.close()
    plain.close()


@pytest.mark.parametrize("stage", STAGES)
def test_noise_is_made_in_one_kernel(stage: Stage) -> None:
    """It is compared with the arithmetic on tensors when it is made; here over a stride and a window."""
    made, lack = one_kernel(STAGES.index(stage), CUDA, exponential)
    assert made is not None, lack
    seeds = torch.tensor([[-5], [2**62]], device=CUDA)
    stride, window = torch.arange(32).view(2, 16), torch.tensor([[7], [9]])
    for steps, first, count in ((stride, 0, 10_001), (window, 3, 90_000)):
        given = seeds, STAGES.index(stage), steps.to(CUDA), first, count
        assert torch.equal(made(*given), exponential(*given))


def test_the_exported_fine_model_gives_the_cpus_tokens(tmp_path: Path) -> None:
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime knows no CUDA devices")
    weights = stage_weights("fine")
    build_stage(weights, [range(1024)], "fp32", tmp_path)
    filled = []
    for gpt in (
        TorchFineGPT(weights, 1024, CPU, torch.float32),
        ExportedFineGPT(weights, tmp_path, 1024, 1, CUDA, torch.float32),
    ):
        window = gpt.begin(tokens_of(2, 40 * 8, 1024).reshape(2, 40, 8), 2)
        for codebook in range(2, 8):
            draws = [Draw(seed, codebook, Sampling(0.5)) for seed in (1, 2)]
            gpt.predict(window, codebook, np.array([3, 10]), draws)
        filled.append(gpt.codes(window))
    assert np.array_equal(*filled)
