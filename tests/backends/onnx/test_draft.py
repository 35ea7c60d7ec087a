"""Guessed tokens that fp32 checks: the same tokens as without them, in fewer runs."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from alrakis.backends.onnx.draft import DraftedCausalGPT
from alrakis.backends.onnx.gpt import OnnxCausalGPT
from alrakis.errors import BackendError
from alrakis.export.build import build_stage
from alrakis.sampling import FloatArray, IntArray, Options, Sampling, Upcoming
from alrakis.spec import CONTEXT, Stage
from alrakis.stages.coarse import generate_coarse
from alrakis.stages.semantic import generate_semantic
from tests.backends.tiny import COARSE_HEADS, LAYOUT, SHAPES, TEXT_HEADS, stage_weights

HEADS = {"text": TEXT_HEADS, "coarse": COARSE_HEADS}
PROVIDERS = ["CPUExecutionProvider"]
SAMPLINGS = [Sampling(0), Sampling(0.7), Sampling(1.0, top_k=20, top_p=0.9)]


@pytest.fixture(params=["guesses well", "guesses badly"])
def folder_of(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """Exports a stage; where it guesses badly, its draft is of other parameters."""

    def make(stage: Stage) -> Path:
        folder = tmp_path / stage
        folder.mkdir()
        build_stage(stage_weights(stage), HEADS[stage], "fp32", folder, draft=True)
        if request.param == "guesses badly":
            other = tmp_path / f"{stage}-other"
            other.mkdir()
            build_stage(stage_weights(stage, seed=1), HEADS[stage], "fp32", other, draft=True)
            for name in ("draft.onnx", "draft.bin"):
                shutil.copy(other / name, folder / name)
        return folder

    make.guesses_well = request.param == "guesses well"  # type: ignore[attr-defined]
    return make


class Counted(DraftedCausalGPT):
    """Counts its steps in fp32."""

    runs = 0

    def _run_step(self, session: ort.InferenceSession, tokens: IntArray, head: int) -> FloatArray:
        self.runs += session is self._step
        return super()._run_step(session, tokens, head)

    def _check(self, tokens: IntArray, heads: Sequence[int]) -> None:
        self.runs += 1
        super()._check(tokens, heads)


def plain_and_drafted(folder: Path, stage: Stage, drafts: int) -> tuple[OnnxCausalGPT, Counted]:
    where = (folder, SHAPES[stage], HEADS[stage], 1, PROVIDERS)
    return OnnxCausalGPT(*where), Counted(*where, drafts)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("drafts", [1, 6])
@pytest.mark.parametrize("rows", [1, 2])
def test_text_tokens_are_the_same(folder_of: Any, sampling: Sampling, drafts: int, rows: int) -> None:
    """Two rows: guessing begins when one has ended."""
    texts = list(np.random.default_rng(0).integers(64, 90, (rows, 256)))
    models = plain_and_drafted(folder_of("text"), "text", drafts)
    seeds = [7, 5][:rows]
    alone, found = (
        generate_semantic(
            gpt,
            LAYOUT,
            texts,
            [None] * rows,
            seeds,
            Options(sampling.temperature, top_k=sampling.top_k, top_p=sampling.top_p, max_gen_duration_s=2.0),
        )
        for gpt in models
    )
    for expected, tokens in zip(alone, found, strict=True):
        np.testing.assert_array_equal(tokens, expected)
    if folder_of.guesses_well and rows == 1:
        assert models[1].runs < 0.8 * len(found[0])


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("window", [60, 7])
def test_coarse_tokens_are_the_same(folder_of: Any, sampling: Sampling, window: int) -> None:
    semantic = np.random.default_rng(1).integers(0, 60, 60)
    models = plain_and_drafted(folder_of("coarse"), "coarse", 6)
    alone, found = (
        generate_coarse(gpt, LAYOUT, [semantic], [None], [3], sampling, sliding_window_len=window)
        for gpt in models
    )
    np.testing.assert_array_equal(found[0], alone[0])
    if folder_of.guesses_well:
        assert models[1].runs < 0.6 * found[0].size


def test_guesses_end_where_the_cache_does(folder_of: Any) -> None:
    plain, drafted = plain_and_drafted(folder_of("text"), "text", 6)
    tokens, sampling = np.zeros((1, CONTEXT - 10), np.int64), Sampling(0)
    expected, found = plain.prefill(tokens), drafted.prefill(tokens)
    for _ in range(10):
        np.testing.assert_allclose(found, expected, atol=2e-5)
        drawn = plain.draw(expected, None, sampling)
        upcoming = Upcoming(sampling, [0] * 100, lambda i: None)
        expected, found = plain.step(drawn), drafted.step(drawn, upcoming=upcoming)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert drafted.position == CONTEXT
    with pytest.raises(BackendError, match="the cache is full"):
        drafted.step(drawn, upcoming=upcoming)


def test_another_token_than_was_guessed(folder_of: Any) -> None:
    """Whatever is drawn, logits are those after it: guesses leave nothing behind."""
    plain, drafted = plain_and_drafted(folder_of("coarse"), "coarse", 4)
    random, prefix = np.random.default_rng(2), np.arange(30)[None]
    plain.prefill(prefix), drafted.prefill(prefix)
    for step in range(40):
        heads = [(step + i) % 2 for i in range(20)]
        token = random.integers(60, 2108, 1)
        expected = plain.step(token, head=heads[0])
        found = drafted.step(token, head=heads[0], upcoming=Upcoming(Sampling(0), heads, lambda i: None))
        np.testing.assert_allclose(found, expected, atol=2e-5)
        assert drafted.position == plain.position


def test_what_is_read_is_counted(folder_of: Any) -> None:
    """A step that was checked already reads nothing; one that guesses reads for all of them."""
    plain, drafted = plain_and_drafted(folder_of("text"), "text", 3)
    tokens, sampling = np.zeros((1, 20), np.int64), Sampling(0)
    read = {plain: 0, drafted: 0}
    for gpt in read:
        drawn = gpt.draw(gpt.prefill(tokens), None, sampling)
        assert gpt.read_bytes == 0
        logits = gpt.step(drawn, upcoming=Upcoming(sampling, [0] * 10, lambda i: None))
        read[gpt] = gpt.read_bytes
    fp32_step = read[plain]
    assert fp32_step > drafted._parameter_bytes[drafted._step] > 0
    assert fp32_step < read[drafted] < 4 * fp32_step
    drawn = drafted.draw(logits, None, sampling)
    drafted.step(drawn, upcoming=Upcoming(sampling, [0] * 9, lambda i: None))
    assert (drafted.read_bytes == read[drafted]) == folder_of.guesses_well
