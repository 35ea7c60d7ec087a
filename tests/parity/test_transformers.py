"""Against transformers' BarkModel, from one folder that it wrote: logits, fine codes and audio."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.engine import Engine
from alrakis.sampling import Draw, Noise, Sampling, draw
from alrakis.spec import Layout
from tests.backends.aligned import Aligned
from tests.checkpoints import write_vocab
from tests.parity.conftest import EXACT_CONFIGS
from tests.reference import TIE

LAYOUT = Layout()
GREEDY = Sampling(0)


@pytest.fixture(scope="module")
def model() -> Any:
    """A Bark of full vocabularies, random enough that every token and position matters."""
    stub_torchaudio()  # transformers imports it too
    from transformers import BarkConfig, BarkModel, EncodecConfig
    from transformers.models.bark import BarkCoarseConfig, BarkFineConfig, BarkSemanticConfig

    def sizes(vocab_in: int, vocab_out: int) -> dict[str, Any]:
        shape = {"num_layers": 3, "num_heads": 4, "hidden_size": 64, "block_size": 1024, "bias": False}
        return {"input_vocab_size": vocab_in, "output_vocab_size": vocab_out, **shape}

    torch.manual_seed(0)
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(**sizes(129_600, 10_048)).to_dict(),
        coarse_acoustics_config=BarkCoarseConfig(**sizes(12_096, 12_096)).to_dict(),
        fine_acoustics_config=BarkFineConfig(**sizes(1_056, 1_056)).to_dict(),
        codec_config=EncodecConfig(target_bandwidths=[6.0]).to_dict(),
    )
    bark = BarkModel(config).eval()
    with torch.no_grad():
        for name, value in bark.named_parameters():
            if name.startswith("codec_model"):
                value.mul_(1.6 if name.endswith("weight.original0") else 1)  # as made, it shrinks its input
            elif "layernorm" in name:
                value.add_(0.1 * torch.randn_like(value))
            else:
                value.normal_(0, 0.2)
        for name, value in bark.named_buffers():
            if name.endswith("codebook.embed"):
                value.normal_()
    return bark


@pytest.fixture(scope="module", params=EXACT_CONFIGS)
def engine(
    request: pytest.FixtureRequest, model: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("transformers")
    model.save_pretrained(folder)
    write_vocab(folder)
    with Engine(folder, request.param, threads=1) as engine:
        yield engine


def assert_logits(found: Any, expected: torch.Tensor) -> None:
    expected = expected.numpy()
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4, atol=1e-4 * expected.std())


@torch.no_grad()
@pytest.mark.parametrize("head", [0, 1])
def test_text_logits(engine: Engine, model: Any, head: int) -> None:
    """The prefix with a voice added onto it, and steps through the cache."""
    random = np.random.default_rng(head)
    tokens = random.integers(10_048, 129_600, (2, 257))
    added = random.integers(0, 10_001, (2, 256))
    gpt, ids = Aligned(engine.backend.text()), LAYOUT.text_heads[head]
    embed = model.semantic.input_embeds_layer
    embedded = embed(torch.tensor(tokens))
    embedded[:, :256] += embed(torch.tensor(added))
    logits = gpt.prefill(tokens, added, head=head)
    for _ in range(12):
        expected = model.semantic(inputs_embeds=embedded).logits[:, -1, ids.start : ids.stop]
        assert_logits(logits, expected)
        drawn = gpt.draw(logits, GREEDY, head=head)
        embedded = torch.cat([embedded, embed(torch.tensor(drawn))[:, None]], 1)
        logits = gpt.step(drawn, head=head)


@torch.no_grad()
@pytest.mark.parametrize("length", [257, 600, 1015])
def test_coarse_logits(engine: Engine, model: Any, length: int) -> None:
    """Alternating heads, up to the last position."""
    tokens = np.random.default_rng(length).integers(0, 12_096, (2, length))
    gpt, heads = Aligned(engine.backend.coarse()), LAYOUT.coarse_heads
    logits = gpt.prefill(tokens, head=0)
    for step in range(10):
        ids = heads[step % 2]
        expected = model.coarse_acoustics(torch.tensor(tokens)).logits[:, -1, ids.start : ids.stop]
        assert_logits(logits, expected)
        drawn = gpt.draw(logits, GREEDY, head=step % 2)
        tokens = np.concatenate([tokens, drawn[:, None]], 1)
        if tokens.shape[1] <= 1024:
            logits = gpt.step(drawn, head=(step + 1) % 2)


@torch.no_grad()
@pytest.mark.parametrize("sampling", [GREEDY, Sampling(0.5)])
def test_fine_codes(engine: Engine, model: Any, sampling: Sampling) -> None:
    """Each codebook is what is drawn from BarkModel's logits over the codebooks before it."""
    random = np.random.default_rng(1)
    codes = np.full((2, 1024, 8), LAYOUT.fine_pad)
    codes[:, :900, :2] = random.integers(0, 1024, (2, 900, 2))
    start = np.array([0, 300])
    gpt = engine.backend.fine()
    window = gpt.begin(codes, 2)
    compared, ties = 0, 0
    for codebook in range(2, 8):
        noise = None if sampling.greedy else Noise([1, 2], "fine").step(codebook, 1024, 1024)
        logits = model.fine_acoustics(codebook, torch.tensor(codes)).logits[..., :1024].numpy()
        expected = draw(logits, noise, sampling)
        gpt.predict(window, codebook, start, [Draw(seed, codebook, sampling) for seed in (1, 2)])
        found = gpt.codes(window)
        codes[..., codebook] = found[..., codebook]
        np.testing.assert_array_equal(found, codes)  # nothing else was touched
        written = np.arange(1024) >= start[:, None]
        assert (found[..., codebook][~written] == LAYOUT.fine_pad).all()
        for row, frame in np.argwhere((found[..., codebook] != expected) & written):
            arrivals = -logits[row, frame] if noise is None else _arrivals(logits, noise, row, frame)
            first, second = np.sort(arrivals)[:2]
            assert abs(second / first - 1) < TIE, (codebook, row, frame)
            assert arrivals[found[row, frame, codebook]] == second
            ties += 1
        compared += written.sum()
    assert compared == 6 * (1024 + 724)
    assert ties < 3


def _arrivals(logits: Any, noise: Any, row: int, frame: int) -> Any:
    exact = logits[row, frame].astype(float)
    return noise[row, frame] / np.exp((exact - exact.max()) / 0.5)


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 3, 100])
def test_codec_audio(engine: Engine, model: Any, frames: int) -> None:
    codes = np.random.default_rng(frames).integers(0, 1024, (8, frames))
    (audio,) = engine.codes_to_audio([codes], silent=True)
    expected = model.codec_model.decode(torch.tensor(codes)[None, None], [None]).audio_values[0, 0].numpy()
    assert audio.dtype == np.float32
    assert expected.std() > 0.01
    np.testing.assert_allclose(audio, expected, rtol=1e-4, atol=1e-4 * max(1, np.abs(expected).max()))
