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
from alrakis.sampling import Draw, FloatArray, IntArray, Options, Sampling
from alrakis.spec import CONTEXT, Stage
from alrakis.stages.asks import Steps
from alrakis.stages.coarse import coarse_codes
from alrakis.stages.semantic import semantic_steps
from tests.backends.aligned import Aligned
from tests.backends.onnx.exported import HEADS, PROVIDERS, SLOTS
from tests.backends.tiny import LAYOUT, SHAPES, stage_weights
from tests.toys import ToyBackend, run_all

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

    def _run_step(self, session: ort.InferenceSession, slots: Sequence[int]) -> list[FloatArray]:
        self.runs += session is self._step
        return super()._run_step(session, slots)

    def _check(self, tokens: IntArray) -> None:
        self.runs += 1
        super()._check(tokens)


def plain_and_drafted(folder: Path, stage: Stage, drafts: int) -> tuple[OnnxCausalGPT, Counted]:
    where = (folder, SHAPES[stage], stage, HEADS[stage], 1, PROVIDERS, SLOTS)
    plain, drafted = OnnxCausalGPT(*where), Counted(*where, drafts)
    drafted.runs = 0  # those that opening measures
    return plain, drafted


def made_by(gpt: OnnxCausalGPT, stage: Stage, *sequences: Steps[IntArray]) -> list[IntArray]:
    """What comes of sequences that share a model."""
    backend = ToyBackend(LAYOUT, max_batch=SLOTS - 1)
    backend.parts[stage] = gpt
    return run_all(backend, sequences)


def greedy(heads: Sequence[int]) -> list[Draw]:
    return [Draw(0, step, Sampling(0), head) for step, head in enumerate(heads)]


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("drafts", [1, 6])
@pytest.mark.parametrize("rows", [1, 2])
def test_text_tokens_are_the_same(folder_of: Any, sampling: Sampling, drafts: int, rows: int) -> None:
    """Two rows: guessing begins when one has ended."""
    texts = np.random.default_rng(0).integers(64, 90, (rows, 256))
    options = Options(
        sampling.temperature, top_k=sampling.top_k, top_p=sampling.top_p, max_gen_duration_s=2.0
    )
    models, seeds = plain_and_drafted(folder_of("text"), "text", drafts), [7, 5][:rows]
    alone, found = (
        made_by(
            gpt,
            "text",
            *(
                semantic_steps(text, None, seed, options, LAYOUT)
                for text, seed in zip(texts, seeds, strict=True)
            ),
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
    (alone,), (found,) = (
        made_by(gpt, "coarse", coarse_codes(semantic, None, 3, sampling, LAYOUT, sliding_window_len=window))
        for gpt in models
    )
    np.testing.assert_array_equal(found, alone)
    if folder_of.guesses_well:
        assert models[1].runs < 0.6 * found.size


def test_guesses_end_where_the_cache_does(folder_of: Any) -> None:
    plain, drafted = map(Aligned, plain_and_drafted(folder_of("text"), "text", 6))
    tokens, ahead = np.zeros((1, CONTEXT - 10), np.int64), greedy([0] * 100)
    expected, found = plain.prefill(tokens), drafted.prefill(tokens)
    for _ in range(10):
        np.testing.assert_allclose(found, expected, atol=2e-5)
        drawn = plain.draw(expected, Sampling(0))
        expected, found = plain.step(drawn), drafted.step(drawn, ahead=ahead)
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert drafted.position == CONTEXT
    with pytest.raises(BackendError, match="the cache is full"):
        drafted.step(drawn, ahead=ahead)


def test_another_token_than_was_guessed(folder_of: Any) -> None:
    """Whatever is drawn, logits are those after it: guesses leave nothing behind."""
    plain, drafted = map(Aligned, plain_and_drafted(folder_of("coarse"), "coarse", 4))
    random, prefix = np.random.default_rng(2), np.arange(30)[None]
    plain.prefill(prefix), drafted.prefill(prefix)
    for step in range(40):
        heads = [(step + i) % 2 for i in range(20)]
        token = random.integers(60, 2108, 1)
        expected = plain.step(token, head=heads[0])
        found = drafted.step(token, head=heads[0], ahead=greedy(heads))
        np.testing.assert_allclose(found, expected, atol=2e-5)
        assert drafted.position == plain.position


def test_others_step_in_between(folder_of: Any) -> None:
    """Guesses for a slot are dropped when others step, beside it or with it, and it goes on as if alone."""
    models = plain_and_drafted(folder_of("coarse"), "coarse", 4)
    random = np.random.default_rng(3)
    for gpt in models:
        for slot in range(3):
            gpt.admit([slot], np.arange(20 + 7 * slot)[None])
    for turn in range(60):
        slots = [[1], [1], [1], [0], [1], [0, 2], [1], [0, 1, 2], [1], [2]][turn % 10]
        tokens = random.integers(60, 2108, len(slots))
        if slots == [1] and turn > 5 and models[1]._checked:  # as drawn where the guess was right
            tokens[:] = models[1]._checked[0][0]
        for gpt in models:
            gpt.feed(slots, tokens)
        ahead = greedy([(turn + i) % 2 for i in range(16)]) if len(slots) == 1 else []
        expected, found = (gpt.step(slots, ahead) for gpt in models)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-5)
        np.testing.assert_array_equal(*(gpt._filled for gpt in models))


def test_a_slot_that_was_left_is_admitted_anew(folder_of: Any) -> None:
    """What was checked for the sequence before it says nothing about the next one."""
    plain, drafted = plain_and_drafted(folder_of("text"), "text", 6)
    for first in (0, 30):
        prefix = np.arange(first, first + 20)[None]
        drawn = [gpt.draw(gpt.admit([0], prefix), [0], greedy([0])) for gpt in (plain, drafted)]
        np.testing.assert_array_equal(*drawn)
        expected, found = plain.step([0]), drafted.step([0], greedy([0] * 16))
        np.testing.assert_allclose(found[0], expected[0], atol=2e-5)
        for gpt in (plain, drafted):
            gpt.leave(0)


def test_what_is_read_is_counted(folder_of: Any) -> None:
    """A step that was checked already reads nothing; one that guesses reads for all of them."""
    plain, drafted = map(Aligned, plain_and_drafted(folder_of("text"), "text", 3))
    tokens, read = np.zeros((1, 20), np.int64), []
    for gpt in (plain, drafted):
        drawn = gpt.draw(gpt.prefill(tokens), Sampling(0))
        assert gpt.read_bytes == 0
        logits = gpt.step(drawn, ahead=greedy([0] * 11))
        read.append(gpt.read_bytes)
    fp32_step, guessed = read
    assert fp32_step > drafted._parameter_bytes[drafted._step] > 0
    assert fp32_step < guessed < 4 * fp32_step
    drafted.step(drafted.draw(logits, Sampling(0)), ahead=greedy([0] * 10))
    assert (drafted.read_bytes == guessed) == folder_of.guesses_well
