"""The causal GPT on torch against bark.model.GPT, and against itself in other ways of being called."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch

from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.bench.targets.suno_bark import stub_torchaudio
from alrakis.errors import BackendError, GenerationError, InputError
from alrakis.sampling import Draw, Sampling, StageNoise
from alrakis.spec import Stage
from alrakis.weights.types import StageWeights
from tests.backends.aligned import Aligned
from tests.backends.tiny import COARSE_HEADS, SHAPES, TEXT_HEADS, stage_weights

CPU = torch.device("cpu")
HEADS = {"text": TEXT_HEADS, "coarse": COARSE_HEADS}


def gpt(stage: Stage, dtype: torch.dtype = torch.float32, weights: StageWeights | None = None) -> Aligned:
    return Aligned(TorchCausalGPT(weights or stage_weights(stage), HEADS[stage], CPU, dtype, slots=4))


def bark_gpt(stage: Stage) -> torch.nn.Module:
    stub_torchaudio()
    from bark.model import GPT, GPTConfig

    shape = SHAPES[stage]
    config = GPTConfig(
        1024, shape.input_vocab, shape.output_vocab, shape.n_layer, shape.n_head, shape.n_embd, bias=False
    )
    model = GPT(config).eval()
    arrays = stage_weights(stage).arrays
    model.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return model


def ids(rows: int, length: int, below: int = 96, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, below, (rows, length))


def close(ours: torch.Tensor, theirs: torch.Tensor, atol: float = 2e-5) -> None:
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=atol, rtol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("use_cache", [True, False])
def test_text_logits_are_barks(use_cache: bool) -> None:
    bark, ours = bark_gpt("text"), gpt("text")
    text, history, after = ids(1, 256, seed=1), ids(1, 256, seed=2), ids(1, 6, seed=3)
    x = torch.tensor(np.concatenate([text, history, [[91]]], axis=1))
    logits, cache = bark(x, merge_context=True, use_cache=use_cache)
    mine = ours.prefill(np.concatenate([text, [[91]]], axis=1), history, head=0)
    close(mine, logits[:, 0, :61])
    for i, token in enumerate(torch.tensor(after[0])):
        if use_cache:
            logits, cache = bark(token.view(1, 1), merge_context=True, use_cache=True, past_kv=cache)
        else:
            logits, _ = bark(torch.cat([x, torch.tensor(after[:, : i + 1])], dim=1), merge_context=True)
        close(ours.step(token.view(1), head=i % 2), logits[:, 0, : 61 - i % 2])
    assert ours.position == 257 + 6


@torch.inference_mode()
def test_coarse_logits_are_barks_for_each_codebook() -> None:
    bark, ours = bark_gpt("coarse"), gpt("coarse")
    tokens = ids(1, 300, below=2112)
    logits, cache = bark(torch.tensor(tokens[:, :290]), use_cache=True)
    close(ours.prefill(tokens[:, :290], head=0), logits[:, 0, 60:1084])
    for i in range(290, 300):
        logits, cache = bark(torch.tensor(tokens[:, i : i + 1]), use_cache=True, past_kv=cache)
        head = (i + 1) % 2
        close(ours.step(torch.tensor(tokens[:, i]), head=head), logits[:, 0, COARSE_HEADS[head]])


def test_a_prefix_and_steps_equal_a_longer_prefix() -> None:
    ours, tokens = gpt("text"), ids(2, 40)
    ours.prefill(tokens[:, :30])
    for i in range(30, 40):
        stepped = ours.step(torch.tensor(tokens[:, i]))
    close(stepped, gpt("text").prefill(tokens))
    close(ours.prefill(tokens), stepped)  # a new prefill forgets what the cache held


def test_one_position_and_all_positions() -> None:
    ours, tokens = gpt("text"), ids(1, 1024)
    ours.prefill(tokens[:, :1])
    for i in range(1, 4):
        stepped = ours.step(torch.tensor(tokens[:, i]))
    close(stepped, gpt("text").prefill(tokens[:, :4]))
    ours.prefill(tokens[:, :1023])
    close(ours.step(torch.tensor(tokens[:, 1023])), gpt("text").prefill(tokens))
    with pytest.raises(BackendError, match="1024 of 1024"):
        ours.step(torch.tensor(tokens[:, 0]))


def test_rows_of_a_batch_equal_rows_alone_and_keep_drops_the_others() -> None:
    together, tokens = gpt("text"), ids(4, 30)
    added = ids(4, 10, seed=5)
    logits = together.prefill(tokens[:, :20], added)
    alone = [gpt("text") for _ in range(4)]
    for row in range(4):
        close(logits[row : row + 1], alone[row].prefill(tokens[row : row + 1, :20], added[row : row + 1]))
    rows = np.arange(4)
    for i, kept in enumerate([[0, 1, 2, 3], [1, 3], [0, 1], [1]]):
        together.keep(kept)
        rows = rows[kept]
        logits = together.step(torch.tensor(tokens[rows, 20 + i]))
        for at, row in enumerate(rows):
            close(logits[at : at + 1], alone[row].step(torch.tensor(tokens[row : row + 1, 20 + i])))
    assert rows.tolist() == [3]


@pytest.mark.parametrize(("dtype", "atol"), [(torch.bfloat16, 0.15), (torch.float16, 0.02)])
def test_lower_precisions_are_close_and_give_float32_logits(dtype: torch.dtype, atol: float) -> None:
    exact, lower, tokens = gpt("text"), gpt("text", dtype), ids(2, 24)
    assert {p.dtype for p in lower.net.parameters()} == {dtype}
    for logits, near in [(exact.prefill(tokens[:, :20]), lower.prefill(tokens[:, :20]))] + [
        (exact.step(torch.tensor(tokens[:, i])), lower.step(torch.tensor(tokens[:, i])))
        for i in range(20, 24)
    ]:
        assert near.dtype == torch.float32
        close(near, logits, atol)
        assert not torch.equal(near, logits)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("stored", [np.float32, np.float16, ml_dtypes.bfloat16])
def test_arrays_may_be_read_only_memory_maps_of_any_float_type(tmp_path: Path, stored: type) -> None:
    weights, tokens = stage_weights("text"), ids(1, 20)
    mapped, rounded = {}, {}
    for name, array in weights.arrays.items():
        path = tmp_path / name
        array.astype(stored).tofile(path)
        mapped[name] = np.memmap(path, mode="r", dtype=stored, shape=array.shape)
        rounded[name] = array.astype(stored).astype(np.float32)
    ours = gpt("text", weights=StageWeights("text", weights.shape, mapped, "", ""))
    theirs = gpt("text", weights=StageWeights("text", weights.shape, rounded, "", ""))
    assert torch.equal(ours.prefill(tokens), theirs.prefill(tokens))
    if stored is np.float32:  # and what needs no conversion is not copied
        assert ours.net.embedding.data_ptr() == mapped["transformer.wte.weight"].ctypes.data


def test_drawing_gives_token_ids_and_reads_them_back() -> None:
    """Each row by its own sampling and head, with noise of its own seed and step."""
    ours = gpt("coarse").gpt
    logits = ours.admit([0, 1, 3], ids(3, 12))
    draws = [Draw(1, 5, Sampling(0.7), 1), Draw(2, 0, Sampling(0), 0), Draw(3, 2**40, Sampling(0.7), 1)]
    tokens = ours.draw(logits, [0, 1, 3], draws)
    noise = StageNoise("coarse").rows(draws, 1024)
    expected = []
    for row, draw in enumerate(draws):
        chances = logits[draw.head][row].numpy()
        best = chances.argmax() if draw.sampling.greedy else (noise[row] / np.exp(chances / 0.7)).argmin()
        expected.append(best + COARSE_HEADS[draw.head].start)
    assert ours.read(tokens).dtype == np.int64
    assert ours.read(tokens).tolist() == expected
    assert ours._last[[0, 1, 3]].tolist() == expected


def test_what_is_not_a_number_is_said_when_tokens_are_read() -> None:
    ours = gpt("text", torch.float16, stage_weights("text", scale=1e6)).gpt
    logits = ours.admit([0], ids(1, 8))
    assert logits[0].isnan().any(), "this is meant to overflow in float16"
    tokens = ours.draw(logits, [0], [Draw(0, 0, Sampling(0))])
    ours.step([0])  # no host has looked at the token yet
    with pytest.raises(GenerationError, match="use fp32 or bf16"):
        ours.read(tokens)


def test_the_cache_is_made_once_and_again_after_a_release() -> None:
    ours = gpt("text")
    ours.prefill(ids(2, 8))
    places = [layer.data_ptr() for layer in ours._cache.layers]
    for rows in (1, 4):
        ours.prefill(ids(rows, 8))
        ours.step(np.arange(rows))
    assert [layer.data_ptr() for layer in ours._cache.layers] == places
    expected = ours.prefill(ids(1, 8))
    ours.release()
    assert ours._cache._buffers == []
    with pytest.raises(BackendError, match="run a prefix first"):
        ours.step([1])
    close(ours.prefill(ids(1, 8)), expected)


def test_calls_out_of_turn_are_refused() -> None:
    ours = gpt("text")
    with pytest.raises(BackendError, match="no step after 0 of 1024 positions: run a prefix first"):
        ours.gpt.step([0])
    for tokens, added in [(ids(1, 1025), None), (ids(1, 0), None), (ids(1, 4), ids(1, 5))]:
        with pytest.raises(InputError, match="a prefix has 1 to 1024 positions"):
            ours.prefill(tokens, added)
    ours.prefill(ids(2, 4))
    for slots in ([0, 1, 2], [3]):
        with pytest.raises(BackendError, match="run a prefix first"):
            ours.gpt.step(slots)
    ours.keep([1])
    with pytest.raises(BackendError, match="run a prefix first"):
        ours.gpt.step([0])
