"""EnCodec's decoder on ONNX Runtime against torch, which is held to EnCodec's own."""

from pathlib import Path

import numpy as np
import pytest

from alrakis.backends.onnx.codec import OnnxCodec
from alrakis.backends.torch.codec import TorchCodec
from alrakis.export.build import build_codec
from tests.backends.onnx.exported import CPU, PROVIDERS
from tests.backends.tiny import codec_weights


@pytest.mark.parametrize("frames", [1, 2, 6, 7, 8, 75])
@pytest.mark.parametrize("codebooks", [8, 2])
def test_samples_are_torchs(frames: int, codebooks: int, tmp_path: Path) -> None:
    build_codec(codec_weights(), tmp_path)
    codec = OnnxCodec(tmp_path, codec_weights().shape, 1, PROVIDERS)
    codes = np.random.default_rng(frames).integers(0, 1024, (2, codebooks, frames))
    expected = TorchCodec(codec_weights(), CPU).decode(codes)
    np.testing.assert_allclose(codec.decode(codes), expected, atol=1e-5)
