"""The fine GPT on torch against bark.model_fine.FineGPT."""

import numpy as np
import pytest
import torch

from alrakis import sampling as reference
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.sampling import NOT_A_NUMBER, Draw, Noise, Sampling
from tests.backends.tiny import SHAPES, stage_weights

CPU = torch.device("cpu")
GREEDY = Sampling(0)


def fine(dtype: torch.dtype = torch.float32, scale: float = 1.0) -> TorchFineGPT:
    return TorchFineGPT(stage_weights("fine", scale=scale), 1024, CPU, dtype)


def bark_fine() -> torch.nn.Module:
    stub_torchaudio()
    from bark.model_fine import FineGPT, FineGPTConfig

    shape = SHAPES["fine"]
    config = FineGPTConfig(
        1024, shape.input_vocab, shape.output_vocab, shape.n_layer, shape.n_head, shape.n_embd, bias=False
    )
    model = FineGPT(config).eval()
    state = {name: torch.tensor(array) for name, array in stage_weights("fine").arrays.items()}
    state |= {f"transformer.wtes.{i + 1}.weight": state[f"lm_heads.{i}.weight"] for i in range(7)}
    model.load_state_dict(state)
    return model


def window(rows: int, frames: int, given: int, seed: int = 1) -> np.ndarray:
    codes = np.random.default_rng(seed).integers(0, 1024, (rows, frames, 8))
    codes[:, :, given:] = 1024
    return codes


@torch.inference_mode()
@pytest.mark.parametrize("frames", [1024, 50])
def test_logits_are_barks_for_every_codebook(frames: int) -> None:
    bark, net = bark_fine(), fine().net
    codes = torch.tensor(window(2, frames, 8))
    known, n_known = None, 0
    for codebook in range(1, 8):
        first = 10 * codebook % frames
        logits, known = net(codes, known, n_known, codebook, first, 1024)
        n_known = codebook
        theirs = bark(codebook, codes)[:, first:, :1024]
        np.testing.assert_allclose(logits.numpy(), theirs.numpy(), atol=3e-5, rtol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("sampling", [Sampling(0.5), GREEDY])
@pytest.mark.parametrize("given", [1, 2, 5])
def test_a_window_is_filled_as_bark_fills_it(sampling: Sampling, given: int) -> None:
    bark, ours = bark_fine(), fine()
    codes = window(3, 64, given)
    codes[:, :20] = window(3, 20, 8, seed=4)  # history: every codebook is there
    start = np.array([20, 30, 25])
    noise = Noise([5, 6, 7], "fine")
    expected = torch.tensor(codes)
    begun = ours.begin(codes, given)
    for codebook in range(given, 8):
        drawn = None if sampling.greedy else noise.step(codebook, 64, 1024)
        ours.predict(begun, codebook, start, [Draw(seed, codebook, sampling) for seed in (5, 6, 7)])
        logits = bark(codebook, expected)[:, :, :1024].numpy()
        tokens = torch.tensor(reference.draw(logits, drawn, sampling))
        for row in range(3):
            expected[row, start[row] :, codebook] = tokens[row, start[row] :]
    found = ours.codes(begun)
    assert np.array_equal(found, expected.numpy())
    assert (found[:, 30:, given:] < 1024).all()
    assert found.dtype == np.int64


def test_rows_of_a_batch_equal_rows_alone() -> None:
    """Rows of any samplings, some of them alike."""
    codes, start, ours = window(4, 40, 2), np.array([0, 10, 39, 5]), fine()
    samplings = [Sampling(0.5), GREEDY, Sampling(0.5), Sampling(0.9, top_k=20)]
    draws = [Draw(seed, 2, sampling) for seed, sampling in enumerate(samplings, 1)]
    begun = ours.begin(codes, 2)
    ours.predict(begun, 2, start, draws)
    together = ours.codes(begun)
    for row in range(4):
        one = slice(row, row + 1)
        alone = ours.begin(codes[one], 2)
        ours.predict(alone, 2, start[one], draws[one])
        assert np.array_equal(ours.codes(alone)[0], together[row])
        assert np.array_equal(together[row, : start[row]], codes[row, : start[row]])


def test_windows_take_turns_and_leave_the_callers_codes() -> None:
    """Two windows of other sizes, a codebook each in turn, against each alone."""
    ours, codes = fine(), [window(1, 30, 2, seed=1), window(2, 45, 2, seed=2)]
    given, start = [each.copy() for each in codes], [np.array([3]), np.array([0, 44])]
    draws = [[Draw(1, 0, Sampling(0.5))], [Draw(2, 0, GREEDY), Draw(3, 0, Sampling(0.7))]]
    alone = []
    for which in (0, 1):
        begun = ours.begin(codes[which], 2)
        for codebook in range(2, 8):
            ours.predict(begun, codebook, start[which], draws[which])
        alone.append(ours.codes(begun))
    both = [ours.begin(each, 2) for each in codes]
    for codebook in range(2, 8):
        for which, begun in enumerate(both):
            ours.predict(begun, codebook, start[which], draws[which])
    for which, begun in enumerate(both):
        assert np.array_equal(ours.codes(begun), alone[which])
        assert np.array_equal(codes[which], given[which])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.inference_mode()
def test_lower_precisions_are_close(dtype: torch.dtype) -> None:
    codes = torch.tensor(window(1, 40, 8))
    exact, _ = fine().net(codes, None, 0, 3, 0, 1024)
    lower, _ = fine(dtype).net(codes, None, 0, 3, 0, 1024)
    assert lower.dtype == dtype
    error = (lower.float() - exact).abs().max() / exact.std()
    assert 0 < error < 0.1


def test_what_is_not_a_number_is_said_when_codes_are_read() -> None:
    overflowing = fine(torch.float16, scale=1e6)
    begun = overflowing.begin(window(1, 8, 2), 2)
    for codebook in range(2, 8):  # no host has looked at the tokens meanwhile
        overflowing.predict(begun, codebook, np.array([0]), [Draw(0, codebook, GREEDY)])
    codes = overflowing.codes(begun)
    assert (codes[0, :, 2:] == NOT_A_NUMBER).all()
    assert (codes[0, :, :2] != NOT_A_NUMBER).all()
