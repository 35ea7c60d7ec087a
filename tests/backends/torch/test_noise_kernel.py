"""The kernel that makes noise, compiled for the CPU, against numpy; and what is done where it cannot be."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from alrakis.backends.torch import noise_kernel
from alrakis.backends.torch.noise import exponential
from alrakis.backends.torch.noise_kernel import CODE, fused
from alrakis.sampling import StageNoise
from alrakis.spec import STAGES
from tests.backends.fake_cuda import CUDA, fake_cuda

SEEDS, STEPS = (3, 2**63, 2**64 - 1), (0, 7, 2**40)
FIRST, COUNT = 5, 10_007

# What a GPU has of its own, and a loop over what its threads do.
HOST = """
#include <cmath>
#include <cstring>
static unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
static int __float_as_int(float x) { int bits; std::memcpy(&bits, &x, 4); return bits; }
CODE
extern "C" void run(const long long *c, const long long *s, const long long *k, long long *out, long long n) {
    for (long long i = 0; i < n; i++) out[i] = philox_noise<long long>(c[i], s[i], k[i]);
}
"""

Kernel = Callable[..., torch.Tensor]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Kernel]:
    """The kernel as a function of the CPU, broadcasting as a GPU's does."""
    if shutil.which("g++") is None:
        pytest.skip("needs a C++ compiler")

    def build(code: str) -> Kernel:
        folder = tmp_path_factory.mktemp("kernel")
        source = folder / "kernel.cpp"
        source.write_text(HOST.replace("CODE", code))
        built = folder / "kernel.so"
        command = ["g++", "-O1", "-ffp-contract=off", "-shared", "-fPIC", str(source), "-o", str(built)]
        subprocess.run(command, check=True)
        run = ctypes.CDLL(str(built)).run

        def kernel(*given: torch.Tensor) -> torch.Tensor:
            inputs = [each.contiguous() for each in torch.broadcast_tensors(*given)]
            out = torch.empty_like(inputs[0])
            run(
                *(ctypes.c_void_p(each.data_ptr()) for each in (*inputs, out)), ctypes.c_longlong(out.numel())
            )
            return out

        return kernel

    return build


@pytest.mark.parametrize("stage", STAGES)
def test_its_noise_is_numpys(stage: Any, compiled: Callable[[str], Kernel]) -> None:
    number = STAGES.index(stage)
    make = noise_kernel._maker(compiled(CODE.replace("STAGE", f"{number}ULL")))
    seeds = torch.from_numpy(np.array(SEEDS, np.uint64).view(np.int64))[:, None]
    steps = torch.tensor([STEPS] * len(SEEDS))
    found = make(seeds, number, steps, FIRST, COUNT).numpy()
    # libraries' logarithms differ in their last places (numpy's by up to four), and nothing else
    plain = exponential(seeds, number, steps, FIRST, COUNT).numpy()
    np.testing.assert_array_max_ulp(found, plain, 2)
    assert (found == plain).mean() > 0.8
    for row, seed in enumerate(SEEDS):
        for column, step in enumerate(STEPS):
            expected = StageNoise(stage).frames(seed, step, 0, 1, FIRST + COUNT)[0, FIRST:]
            np.testing.assert_array_max_ulp(found[row, column], expected, 5)


def test_torch_reads_its_code() -> None:
    function = torch.cuda.jiterator._create_jit_fn(CODE.replace("STAGE", "0ULL"))
    assert function.kernel_name == "philox_noise"


@pytest.mark.parametrize(("wrong", "used"), [(0.0, True), (1e-8, False)])
def test_it_is_used_where_it_gives_what_tensors_give(
    wrong: float, used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card is stood in for: its kernel is the arithmetic itself, right or wrong in one number."""

    def kernel(candidates: Any, steps: Any, seeds: Any) -> torch.Tensor:
        noise = exponential(seeds[..., 0], 1, steps[..., 0], int(candidates[0]), len(candidates))
        noise[0, 0, noise[0, 0].argmin()] += wrong
        return torch.stack([noise, torch.zeros_like(noise)], -1).flatten(-2).view(torch.int64)

    monkeypatch.setattr(torch.cuda.jiterator, "_create_jit_fn", lambda code: kernel)
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(torch, "tensor", _on_the_cpu(torch.tensor))
    assert (fused(1, CUDA, exponential) is not exponential) is used


def _on_the_cpu(tensor: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda values, device=None: tensor(values)


def test_without_a_gpu_that_compiles_it_tensors_make_noise() -> None:
    assert fused(0, torch.device("cpu"), exponential) is exponential
    with fake_cuda():
        assert fused(0, CUDA, exponential) is exponential
