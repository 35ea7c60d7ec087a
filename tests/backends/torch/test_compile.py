"""The compiled decode step and fine pass: one full graph each, few of them, and the same numbers as eager."""

import shutil
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
import torch._dynamo
import torch._dynamo.testing
from torch._dynamo.utils import counters

from alrakis.backends.torch.compile import CompiledStep
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.errors import BackendError
from alrakis.sampling import Draw, Sampling
from alrakis.spec import Stage
from tests.backends.aligned import Aligned
from tests.backends.tiny import COARSE_HEADS, TEXT_HEADS, stage_weights

CPU = torch.device("cpu")


def compiled_gpt(compiler: Any, heads: Any = TEXT_HEADS, stage: Stage = "text", *, slots: int = 4) -> Aligned:
    own = stage_weights(stage), heads, CPU, torch.float32
    return Aligned(TorchCausalGPT(*own, slots=slots, compile=True, compiler=compiler))


def eager_gpt(heads: Any = TEXT_HEADS, stage: Stage = "text") -> Aligned:
    return Aligned(TorchCausalGPT(stage_weights(stage), heads, CPU, torch.float32, slots=4))


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def tokens_of(rows: int, length: int, below: int = 96) -> np.ndarray:
    return np.random.default_rng(length).integers(0, below, (rows, length))


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler on the CPU")
def test_the_compiled_step_equals_eager() -> None:
    compiled, eager, tokens = compiled_gpt("inductor"), eager_gpt(), tokens_of(3, 26)
    for gpt in (compiled, eager):
        gpt.prefill(tokens[:, :20])
    for i in range(20, 26):
        step = torch.tensor(tokens[:, i])
        ours, theirs = compiled.step(step, head=i % 2), eager.step(step, head=i % 2)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=2e-5, rtol=1e-4)
    assert counters["stats"]["unique_graphs"] == 1


def test_rows_leave_and_buckets_are_crossed_as_in_eager() -> None:
    compiled, eager, tokens = compiled_gpt("eager"), eager_gpt(), tokens_of(3, 260)
    added = tokens_of(3, 200)
    for gpt in (compiled, eager):
        gpt.prefill(tokens[:, :250], added)
    for i in range(250, 260):
        if i == 253:
            for gpt in (compiled, eager):
                gpt.keep([0, 1])
            tokens = tokens[[0, 1]]
        step = torch.tensor(tokens[:, i])
        ours, theirs = compiled.step(step, head=i % 2), eager.step(step, head=i % 2)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=2e-5, rtol=1e-4)
    assert counters["stats"]["unique_graphs"] == 3  # of 4 and of 2 rows, and a second bucket


def test_a_step_is_one_graph_and_none_is_made_within_a_bucket() -> None:
    compiled, eager = compiled_gpt("aot_eager", COARSE_HEADS, "coarse"), eager_gpt(COARSE_HEADS, "coarse")
    tokens = tokens_of(1, 520, 2112)
    for gpt in (compiled, eager):
        gpt.prefill(tokens[:, :257])
    compiled.step(torch.tensor(tokens[:, 257]))
    eager.step(torch.tensor(tokens[:, 257]))
    assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]
    with torch._dynamo.config.patch(error_on_recompile=True):
        for i in range(258, 512):
            step = torch.tensor(tokens[:, i])
            ours, theirs = compiled.step(step, head=i % 2), eager.step(step, head=i % 2)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=2e-5, rtol=1e-4)
        for gpt in (compiled, eager):  # a new window: nothing is compiled again
            gpt.prefill(tokens[:, :300])
            assert gpt.position == 300
        step = torch.tensor(tokens[:, 300])
        np.testing.assert_allclose(
            compiled.step(step).numpy(), eager.step(step).numpy(), atol=2e-5, rtol=1e-4
        )
    assert counters["stats"]["unique_graphs"] == 1


def test_many_batch_sizes_and_buckets_are_within_the_compilers_limits() -> None:
    made = torch._dynamo.testing.CompileCounter()
    compiled = compiled_gpt(made, slots=16)
    for rows in (16, 1, 2, 4, 7):
        for length in (1, 1023):
            compiled.prefill(tokens_of(rows, length))
            compiled.step(torch.zeros(rows, dtype=torch.int64))
    assert made.frame_count == 5 * 2  # torch itself would stop at 8


@pytest.mark.parametrize("rows", [1, 3])
def test_an_overflow_does_not_live_on_in_the_compiled_cache(rows: int) -> None:
    """Wherever anything was written, by a sequence or by a step that ran an idle slot along."""
    compiled, eager = compiled_gpt("eager"), eager_gpt()
    compiled.prefill(tokens_of(3, 40))
    compiled.step([5, 6, 7])
    assert compiled._reached.tolist() == [41, 41, 41, 1]
    with torch.inference_mode():
        for buffer in compiled._cache.keys + compiled._cache.values:
            for slot, reached in enumerate(compiled._reached):
                buffer[slot, :, :reached] = torch.nan
    for gpt in (compiled, eager):
        gpt.prefill(tokens_of(rows, 20))
    step = [5, 6, 7][:rows]
    np.testing.assert_allclose(compiled.step(step).numpy(), eager.step(step).numpy(), atol=2e-5, rtol=1e-4)


def test_released_and_begun_again() -> None:
    compiled, eager = compiled_gpt("eager"), eager_gpt()
    for rows in (1, 2):
        for gpt in (compiled, eager):
            gpt.prefill(tokens_of(rows, 20))
        step = torch.arange(rows)
        np.testing.assert_allclose(
            compiled.step(step).numpy(), eager.step(step).numpy(), atol=2e-5, rtol=1e-4
        )
        compiled.release()
        with pytest.raises(BackendError, match="run a prefix first"):
            compiled.step(step)


def test_the_fine_pass_equals_eager() -> None:
    weights, sampling = stage_weights("fine"), Sampling(0.5)
    made = torch._dynamo.testing.CompileCounter()
    compiled = TorchFineGPT(weights, 1024, CPU, torch.float32, compile=True, compiler=made)
    eager = TorchFineGPT(weights, 1024, CPU, torch.float32)
    for rows, frames, first in [(1, 40, 0), (1, 40, 20), (2, 40, 25), (3, 64, 30)]:
        codes = np.random.default_rng(frames).integers(0, 1024, (rows, frames, 8))
        filled = []
        for gpt in (compiled, eager):
            window = gpt.begin(codes, 2)
            for codebook in range(2, 8):
                draws = [Draw(seed, codebook, sampling) for seed in range(rows)]
                gpt.predict(window, codebook, np.full(rows, first), draws)
            filled.append(gpt.codes(window))
        assert np.array_equal(*filled)
    assert 1 <= made.frame_count <= 5
    assert not counters["graph_break"]


def test_a_compiler_that_fails_is_said_plainly() -> None:
    def broken(graph: Any, inputs: Any) -> NoReturn:
        raise RuntimeError("no compiler here")

    compiled = compiled_gpt(broken)
    compiled.prefill(tokens_of(1, 4))
    with pytest.raises(BackendError, match=r"compile = false.*no compiler here"):
        compiled.step(torch.tensor([1]))


def test_a_graph_break_is_refused() -> None:
    def breaks(
        tokens: torch.Tensor, positions: torch.Tensor, keys: list[torch.Tensor], values: Any, length: int
    ) -> torch.Tensor:
        print("a break")
        return keys[0][:, 0, :1, 0]

    gpt = eager_gpt()
    step = CompiledStep(breaks, gpt._cache, CPU, compiler="eager")
    with torch.inference_mode(), pytest.raises(BackendError, match=r"torch\.compile failed"):
        step(torch.tensor([1]), torch.tensor([1]), 2)
