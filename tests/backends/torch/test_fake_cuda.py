"""What runs on a GPU, without one: no tensor on the wrong device, and no value read on the host in a step."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException

from alrakis.backends.torch.codec import TorchCodec
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.sampling import Noise, Sampling
from tests.backends.fake_cuda import CUDA, fake_cuda
from tests.backends.tiny import COARSE_HEADS, TEXT_HEADS, codec_weights, stage_weights

SAMPLINGS = [Sampling(0.7, stop_p=0.2), Sampling(0.7, 50, 0.9), Sampling(0)]
DTYPES = [torch.float32, torch.bfloat16, torch.float16]


@pytest.fixture(autouse=True)
def _fake_cuda() -> Iterator[None]:
    codec_weights()  # made with true values, outside
    with fake_cuda():
        yield


def test_the_mode_notices_wrong_devices_and_host_reads() -> None:
    there, here = torch.zeros(3, device=CUDA), torch.zeros(3)
    with pytest.raises(RuntimeError, match="same device"):
        there + here
    with pytest.raises(DataDependentOutputException):
        there[0].item()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("compile", [False, True])
def test_text(dtype: torch.dtype, sampling: Sampling, compile: bool) -> None:
    gpt = TorchCausalGPT(stage_weights("text"), TEXT_HEADS, CUDA, dtype, compile=compile)
    assert {p.device for p in gpt.net.parameters()} == {CUDA}
    if compile:  # the graph's own function: torch.compile does not run inside the mode
        gpt._compiled._step = _Uncompiled(gpt.net.fixed_step)
    tokens = np.zeros((3, 257), np.int64)
    logits = gpt.prefill(tokens, tokens[:, :256])
    noise = gpt.upload(Noise([1, 2, 3], "text").steps(0, 4, 61))
    for step in range(3):
        for head in (0, 1):
            size = len(TEXT_HEADS[head])
            drawn = gpt.draw(logits[:, :size], noise[step][:, :size], sampling, head=head)
            assert on_cuda(drawn, torch.int64, 3 - step)
        assert on_cuda(logits, torch.float32, 3 - step, 61)
        logits = gpt.step(drawn)
        rows = list(range(2 - step))
        if rows:
            gpt.keep(np.array(rows))
            logits, noise = logits[: len(rows)], noise[:, : len(rows)]
    assert all(on_cuda(each, dtype, 1) for each in gpt._cache.keys + gpt._cache.values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_coarse(dtype: torch.dtype) -> None:
    gpt = TorchCausalGPT(stage_weights("coarse"), COARSE_HEADS, CUDA, dtype)
    logits = gpt.prefill(np.zeros((2, 257), np.int64))
    noise = gpt.upload(Noise([1, 2], "coarse").steps(0, 4, 1024))
    for step in range(4):
        tokens = gpt.draw(logits, noise[step], Sampling(0.7), head=step % 2)
        logits = gpt.step(tokens, head=(step + 1) % 2)
        assert on_cuda(tokens, torch.int64, 2)
        assert on_cuda(logits, torch.float32, 2, 1024)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sampling", [Sampling(0.5), Sampling(0)])
def test_fine(dtype: torch.dtype, sampling: Sampling) -> None:
    gpt = TorchFineGPT(stage_weights("fine"), 1024, CUDA, dtype)
    gpt.begin(np.zeros((2, 40, 8), np.int64), 2)
    noise = None if sampling.greedy else Noise([1, 2], "fine").step(0, 40, 1024)
    for codebook in range(2, 8):
        gpt.predict(codebook, np.array([5, 10]), noise, sampling)
    assert on_cuda(gpt._codes, torch.int64, 2, 40, 8)
    assert on_cuda(gpt._known, dtype, 2, 40, 32)


@pytest.mark.parametrize("frames", [1, 30])
def test_codec(frames: int) -> None:
    codec = TorchCodec(codec_weights(), CUDA)
    with torch.inference_mode():
        samples = codec.net(torch.zeros(2, 8, frames, dtype=torch.int64, device=CUDA))
    assert on_cuda(samples, torch.float32, 2, 320 * frames)


def on_cuda(tensor: torch.Tensor, dtype: torch.dtype, *shape: int) -> bool:
    sized = tensor.shape[: len(shape)] == shape
    return tensor.device == CUDA and tensor.dtype == dtype and sized


class _Uncompiled:
    def __init__(self, run: Any) -> None:
        self.run = run

    def __call__(self, *args: Any) -> Any:
        return self.run(*args)
