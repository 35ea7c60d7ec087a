"""The codec on torch against encodec's own decoder."""

import numpy as np
import pytest
import torch

from alrakis.backends.torch.codec import TorchCodec
from alrakis.bench.targets.suno_bark import stub_torchaudio
from tests.backends.tiny import codec_weights
from tests.checkpoints import encodec_state


@pytest.fixture(scope="module")
def codec() -> TorchCodec:
    return TorchCodec(codec_weights(), torch.device("cpu"))


@pytest.fixture(scope="module")
def encodec() -> torch.nn.Module:
    stub_torchaudio()
    from encodec import EncodecModel

    model = EncodecModel.encodec_model_24khz(pretrained=False)
    model.load_state_dict(encodec_state())
    return model.eval()


def codes(rows: int, frames: int, codebooks: int = 8) -> np.ndarray:
    return np.random.default_rng(frames).integers(0, 1024, (rows, codebooks, frames))


@torch.inference_mode()
@pytest.mark.parametrize("frames", [1, 2, 3, 7, 75])
@pytest.mark.parametrize("codebooks", [8, 3])
def test_samples_are_encodecs(
    codec: TorchCodec, encodec: torch.nn.Module, frames: int, codebooks: int
) -> None:
    given = codes(2, frames, codebooks)
    theirs = encodec.decoder(encodec.quantizer.decode(torch.tensor(given).transpose(0, 1)))[:, 0].numpy()
    ours = codec.decode(given)
    assert ours.shape == (2, 320 * frames)
    assert ours.dtype == np.float32
    assert theirs.std() > 1e-2, "the random codec is silent: this would compare nothing"
    np.testing.assert_allclose(ours, theirs, atol=2e-5 * np.abs(theirs).max(), rtol=1e-4)


def test_rows_of_a_batch_equal_rows_alone(codec: TorchCodec) -> None:
    given = codes(3, 10)
    together = codec.decode(given)
    for row in range(3):
        alone = codec.decode(given[row : row + 1])[0]
        np.testing.assert_allclose(together[row], alone, atol=1e-5 * np.abs(alone).max(), rtol=1e-4)
    assert not np.allclose(together[0], together[1])


def test_codes_of_other_integer_types(codec: TorchCodec) -> None:
    given = codes(1, 4)
    assert np.array_equal(codec.decode(given.astype(np.int32)), codec.decode(given))
