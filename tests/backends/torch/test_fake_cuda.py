"""What runs on a GPU, without one: no tensor on the wrong device, and no value read on the host in a step."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException

from alrakis.backends.torch.codec import TorchCodec
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.backends.torch.steps import STRIDE
from alrakis.sampling import Draw, Draws, Sampling
from alrakis.spec import Stage
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


@pytest.mark.parametrize(("dtype", "sampling"), list(zip(DTYPES, SAMPLINGS, strict=True)))
def test_text_step_by_step(dtype: torch.dtype, sampling: Sampling) -> None:
    gpt = TorchCausalGPT(stage_weights("text"), TEXT_HEADS, CUDA, dtype, slots=4)
    assert {p.device for p in gpt.net.parameters()} == {CUDA}
    tokens = np.zeros((3, 257), np.int64)
    logits = gpt.admit([0, 1, 2], tokens, tokens[:, :256])
    slots = [0, 1, 2]
    for step in range(3):
        draws = [Draw(slot, step, sampling, head=(slot + step) % 2) for slot in slots]
        assert on_cuda(gpt.draw(logits, slots, draws), torch.int64, 3 - step)
        for head in (0, 1):
            assert on_cuda(logits[head], torch.float32, 3 - step, len(TEXT_HEADS[head]))
        logits = gpt.step(slots)
        if step < 2:
            gpt.leave(slots.pop(1 - step))
            logits = [own[: len(slots)] for own in logits]
    assert all(on_cuda(each, dtype, 4) for each in gpt._cache.layers)


@pytest.mark.parametrize(("dtype", "sampling"), list(zip(DTYPES, SAMPLINGS, strict=True)))
@pytest.mark.parametrize("stage", ["text", "coarse"])
def test_strides(dtype: torch.dtype, sampling: Sampling, stage: Stage) -> None:
    """Slots at positions of their own, with an idle one between them; no token is read on the way."""
    heads, turns = (TEXT_HEADS, (0,)) if stage == "text" else (COARSE_HEADS, (1, 0))
    gpt = TorchCausalGPT(stage_weights(stage), heads, CUDA, dtype, slots=4)
    for slot, length in ((0, 257), (2, 300)):
        gpt.enter([slot], np.zeros((1, length), np.int64))
    for done in (0, 2):
        draws = [Draws(slot, done, sampling, turns, 2) for slot in (0, 2)]
        assert gpt.read(gpt.advance([0, 2], draws)).shape[0] == 2
    assert on_cuda(gpt._last, torch.int64, 4)
    if gpt._made_steps().takes(draws[0]):
        state = gpt._made_steps()._rows(slice(0, 4))
        assert on_cuda(state.noise, torch.float32, 4, STRIDE + 1, len(heads[0]))
        assert all(on_cuda(each, each.dtype, 4) for each in (*state.told, state.drawn, state.begun))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sampling", [Sampling(0.5), Sampling(0)])
def test_fine(dtype: torch.dtype, sampling: Sampling) -> None:
    gpt = TorchFineGPT(stage_weights("fine"), 1024, CUDA, dtype)
    window = gpt.begin(np.zeros((3, 40, 8), np.int64), 2)
    draws = [Draw(1, 0, sampling), Draw(2, 0, Sampling(0.9)), Draw(3, 0, sampling)]
    for codebook in range(2, 8):
        gpt.predict(window, codebook, np.array([5, 10, 0]), draws)
    assert on_cuda(window.codes, torch.int64, 3, 40, 8)
    assert on_cuda(window.known, dtype, 3, 40, 32)


@pytest.mark.parametrize("frames", [1, 30])
def test_codec(frames: int) -> None:
    codec = TorchCodec(codec_weights(), CUDA)
    with torch.inference_mode():
        samples = codec.net(torch.zeros(2, 8, frames, dtype=torch.int64, device=CUDA))
    assert on_cuda(samples, torch.float32, 2, 320 * frames)


def on_cuda(tensor: torch.Tensor, dtype: torch.dtype, *shape: int) -> bool:
    sized = tensor.shape[: len(shape)] == shape
    return tensor.device == CUDA and tensor.dtype == dtype and sized
