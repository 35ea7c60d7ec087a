"""On a real GPU: the same numbers as on the CPU, and CUDA graphs that say the same as eager."""

import numpy as np
import pytest
import torch

from alrakis.backends.torch.backend import TorchBackend
from alrakis.backends.torch.codec import TorchCodec
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.backends.torch.noise import DeviceNoise
from alrakis.config import Config
from alrakis.sampling import Draw, Sampling, StageNoise
from alrakis.spec import Stage
from tests.backends.aligned import Aligned
from tests.backends.tiny import COARSE_HEADS, TEXT_HEADS, TinyWeights, codec_weights, stage_weights

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

CPU, CUDA = torch.device("cpu"), torch.device("cuda:0")


def tokens_of(rows: int, length: int, below: int = 96) -> np.ndarray:
    return np.random.default_rng(length).integers(0, below, (rows, length))


def gpt(device: torch.device, dtype: torch.dtype = torch.float32, **options: bool) -> Aligned:
    return Aligned(TorchCausalGPT(stage_weights("text"), TEXT_HEADS, device, dtype, slots=4, **options))


@pytest.mark.parametrize("options", [{}, {"compile": True}, {"compile": True, "cuda_graphs": True}])
def test_tokens_are_the_cpus(options: dict[str, bool]) -> None:
    """Rows leave, and a bucket's edge is crossed, over two windows."""
    here, there = gpt(CPU), gpt(CUDA, **options)
    sampling = Sampling(0.7, stop_p=0.9)
    for window in range(2):
        rows = [0, 1, 2]
        logits = [each.prefill(tokens_of(3, 250 + window), tokens_of(3, 200)) for each in (here, there)]
        for step in range(12):
            np.testing.assert_allclose(logits[0].numpy(), logits[1].cpu().numpy(), atol=1e-4, rtol=1e-3)
            drawn = [
                each.draw(values, sampling, step=step, seeds=rows)
                for each, values in zip((here, there), logits, strict=True)
            ]
            assert np.array_equal(*drawn)
            if step in (4, 8):
                kept = list(range(1, len(rows)))
                rows = rows[1:]
                for each in (here, there):
                    each.keep(kept)
                drawn = [tokens[1:] for tokens in drawn]
            logits = [each.step(tokens) for each, tokens in zip((here, there), drawn, strict=True)]


def test_a_cuda_graph_is_replayed_and_its_logits_last() -> None:
    eager, replayed = gpt(CUDA), gpt(CUDA, compile=True, cuda_graphs=True)
    tokens = tokens_of(1, 40)
    for each in (eager, replayed):
        each.prefill(tokens[:, :20])
    kept = []
    for i in range(20, 40):
        kept.append((eager.step(tokens[:, i]), replayed.step(tokens[:, i])))
    for theirs, ours in kept:
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)
    assert len(replayed._compiled._ready) == 1


@pytest.mark.parametrize("stage", ["text", "fine"])
def test_noise_is_the_hosts(stage: Stage) -> None:
    """As integers it is equal; as floats, in the last places."""
    draws = [Draw(seed, step, Sampling(1.0)) for seed, step in ((0, 0), (2**64 - 1, 700), (5, 2**40))]
    expected = StageNoise(stage).rows(draws, 10_000)
    found = DeviceNoise(stage, CUDA).rows(draws, 10_000).cpu().numpy()
    assert (np.abs(found - expected) <= 5 * np.spacing(expected)).all()


def test_no_step_waits_for_the_device() -> None:
    eager = gpt(CUDA).gpt
    logits = [eager.admit([slot], tokens_of(1, 20 + slot)) for slot in (0, 1)]
    logits = [torch.cat(heads) for heads in zip(*logits, strict=True)]
    sampling = Sampling(0.7, 20, 0.9, 0.5)
    eager.draw(logits, [0, 1], [Draw(seed, 0, sampling) for seed in (1, 2)])  # makes noise ahead
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(1, 5):
            eager.draw(eager.step([0, 1]), [0, 1], [Draw(seed, step, sampling) for seed in (1, 2)])
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_lower_precisions_are_close(dtype: torch.dtype) -> None:
    exact, lower = gpt(CPU), gpt(CUDA, dtype)
    tokens = tokens_of(2, 30)
    np.testing.assert_allclose(
        lower.prefill(tokens).cpu().numpy(), exact.prefill(tokens).numpy(), atol=0.15, rtol=0.05
    )


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
