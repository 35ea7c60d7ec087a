"""Noise as one kernel, where a GPU's torch can compile it: arithmetic on tensors takes 300, over 16 steps.

torch compiles it by what it brings itself (NVRTC, or ROCm's), with neither Triton nor a C compiler.
"""

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

logger = logging.getLogger("alrakis")

# of seeds (B, 1), stage, steps (B, N), first candidate, count: noise (B, N, count)
Make = Callable[[Tensor, int, Tensor, int, int], Tensor]

# Philox 4x64-10 at one candidate, as `noise.exponential`: a float's bits in the low half of 64.
CODE = """
template <typename T> T philox_noise(T candidate, T step, T seed) {
    typedef unsigned long long word;
    word c0 = (word)candidate / 8 + 1, c1 = (word)step, c2 = 0, c3 = 0;
    word k0 = (word)seed, k1 = STAGE;
    for (int round = 0; round < 10; round++) {
        const word high0 = __umul64hi(0xD2E7470EE14C6C93ULL, c0), low0 = 0xD2E7470EE14C6C93ULL * c0;
        const word high1 = __umul64hi(0xCA5A826395121157ULL, c2), low1 = 0xCA5A826395121157ULL * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B97F4A7C15ULL;
        k1 += 0xBB67AE8584CAA73BULL;
    }
    const int place = (int)((word)candidate % 8);
    const word drawn = place / 2 == 0 ? c0 : place / 2 == 1 ? c1 : place / 2 == 2 ? c2 : c3;
    const int bits = (int)(unsigned int)(place % 2 == 0 ? drawn : drawn / 4294967296ULL);
    const float v = (float)bits * 2.3283064365386963e-10f;
    const float one = bits < 0 ? 0.0f : 1.0f;
    const float w = one - v;
    const float noise = (v - (one - w)) - logf(w);
    const float least = 1.1641532182693481e-10f;
    return (T)(word)(unsigned int)__float_as_int(noise < least ? least : noise);
}
"""


def fused(stage: int, device: torch.device, plain: Make) -> Make:
    """What makes a stage's noise on a device as `plain` does, in one kernel; `plain` where that cannot be."""
    if device.type != "cuda":
        return plain
    made, lack = one_kernel(stage, device, plain)
    if made is None:
        logger.debug("noise is not made in one kernel on %s: %s", device, lack)
    return made or plain


def one_kernel(stage: int, device: torch.device, plain: Make) -> tuple[Make | None, str]:
    """A stage's noise by one kernel, compared with `plain` to the last bit; or None, and why not."""
    try:
        with torch.cuda.device(device):
            made = _maker(torch.cuda.jiterator._create_jit_fn(CODE.replace("STAGE", f"{stage}ULL")))
            seeds = torch.tensor([[3], [-(2**63)], [2**63 - 1]], device=device)
            steps = torch.tensor([[0, 2**40]] * 3, device=device)
            asked = seeds, stage, steps, 5, 10_007
            if torch.equal(made(*asked), plain(*asked)):
                return made, ""
    except Exception as error:  # whatever it is, noise can be made without
        return None, f"{type(error).__name__}: {error}"
    return None, "it gives other numbers than the same arithmetic on tensors"


def _maker(kernel: Callable[..., Any]) -> Make:
    def make(seeds: Tensor, stage: int, steps: Tensor, first: int, count: int) -> Tensor:
        candidates = torch.arange(first, first + count, device=steps.device)
        bits: Tensor = kernel(candidates, steps[..., None], seeds[..., None])
        return bits.view(torch.float32)[..., ::2]

    return make
