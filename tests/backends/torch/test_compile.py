"""Compiled steps and fine passes: full graphs, few of them, and what is said where they cannot be made."""

import re
import shutil
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
import torch._dynamo
import torch._dynamo.testing
from torch._dynamo.utils import counters
from torch._inductor.utils import run_and_get_code

from alrakis.backends.torch import compile as torch_compile
from alrakis.backends.torch.compile import Compiled, missing
from alrakis.backends.torch.fine import TorchFineGPT
from alrakis.backends.torch.gpt import TorchCausalGPT
from alrakis.backends.torch.steps import STRIDE
from alrakis.errors import BackendError
from alrakis.sampling import Draw, Draws, Sampling
from tests.backends.tiny import COARSE_HEADS, stage_weights

CPU = torch.device("cpu")


def compiled_gpt(compiler: Any, *, slots: int = 1) -> TorchCausalGPT:
    own = stage_weights("coarse"), COARSE_HEADS, CPU, torch.float32
    return TorchCausalGPT(*own, slots=slots, compile=True, compiler=compiler)


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def tokens_of(rows: int, length: int) -> np.ndarray:
    return np.random.default_rng(length).integers(0, 2112, (rows, length))


def drawn(gpt: TorchCausalGPT, length: int, count: int = 2 * STRIDE) -> list[int]:
    """So many tokens after a prefix, in slot 0."""
    gpt.enter([0], tokens_of(1, length))
    found: list[int] = []
    while len(found) < count:
        left = count - len(found)
        draws = Draws(5, len(found), Sampling(0.7), (0, 1) if len(found) % 2 == 0 else (1, 0), left)
        found += gpt.read(gpt.advance([0], [draws]))[0, : min(STRIDE, left)].tolist()
    return found


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler on the CPU")
def test_compiled_tokens_are_the_eager_ones_in_few_kernels() -> None:
    """As many kernels as inductor writes for a CPU, and operators that it calls; for Bark's 12 layers."""
    found, codes = run_and_get_code(drawn, compiled_gpt("inductor"), 40)
    assert found == drawn(compiled_gpt("eager"), 40)
    begin, step = sorted(map(launches, codes), key=len)
    attention = [number for number, name in enumerate(step) if name.startswith("torch.ops")]
    layer, layers = attention[1] - attention[0], len(attention)
    twelve = len(step) + (12 - layers) * layer + len(begin) / STRIDE
    counts = f"{layer} a layer, {len(step) - layers * layer} beside, {len(begin)} a stride"
    print(f"compiled: {counts}; 12 layers {twelve:.0f} a step")
    assert layer == 9
    assert twelve < 112


def launches(code: str) -> list[str]:
    """What the code that inductor wrote starts in a call, by name."""
    call = code[code.index("def call(") :]
    kernels = r"^ +(?:[\w, ]+ = )?(cpp_fused\w*|extern_kernels\.\w+|torch\.ops\.[\w.]+)\("
    return re.findall(kernels, call, re.MULTILINE)


def test_a_step_is_one_graph_and_none_is_made_within_a_bucket() -> None:
    compiled = compiled_gpt("eager")
    drawn(compiled, 257)
    assert counters["stats"]["unique_graphs"] == 2  # a stride's beginning, and a step
    assert not counters["graph_break"]
    with torch._dynamo.config.patch(error_on_recompile=True):
        drawn(compiled, 300, 100)
        compiled.leave(0)
        drawn(compiled, 480)
    assert counters["stats"]["unique_graphs"] == 2
    drawn(compiled, 500)
    assert counters["stats"]["unique_graphs"] == 3


def test_many_batch_sizes_and_buckets_are_within_the_compilers_limits() -> None:
    made = torch._dynamo.testing.CompileCounter()
    compiled = compiled_gpt(made, slots=4)
    for slots in ([3], [0], [0, 1], [0, 2]):
        for length in (1, 600, 1023):
            compiled.enter(slots, tokens_of(len(slots), length))
            compiled.advance(slots, [Draws(0, 0, Sampling(0.7), (0,), 1)] * len(slots))
    sizes = 3  # 1, 2, 4; the last slot alone has the shapes of the first
    assert made.frame_count == sizes * (1 + 3)  # torch itself would stop at 8


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

    with pytest.raises(BackendError, match=r"compile = false.*no compiler here"):
        drawn(compiled_gpt(broken), 4)


def test_a_graph_break_is_refused() -> None:
    def breaks(tensor: torch.Tensor) -> torch.Tensor:
        print("a break")
        return tensor + 1

    with pytest.raises(BackendError, match=r"torch\.compile failed"):
        Compiled(breaks, compiler="eager")(torch.tensor([1]))


@pytest.mark.parametrize(
    ("device", "has", "expected"),
    [
        ("cuda", {"triton", "gcc"}, None),
        ("cuda", {"gcc"}, "Triton"),
        ("cuda", {"triton"}, "a C compiler"),
        ("cpu", {"g++"}, None),
        ("cpu", {"triton"}, "a C++ compiler"),
    ],
)
def test_what_a_compiler_lacks_is_known_before(
    monkeypatch: pytest.MonkeyPatch, device: str, has: set[str], expected: str | None
) -> None:
    monkeypatch.setattr(torch_compile.importlib.util, "find_spec", lambda name: name in has or None)
    monkeypatch.setattr(torch_compile.shutil, "which", lambda name: name if name in has else None)
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    found = missing(torch.device(device))
    assert found is None if expected is None else (found or "").startswith(expected)
