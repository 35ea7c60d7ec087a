"""Whether the device says what the CPU says: token by token in fp32, and how far lower precisions are off."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from alrakis.bench.gpu.figures import Figures, Options, Values
from alrakis.engine import Engine
from alrakis.result import Result
from alrakis.spec import CONTEXT
from alrakis.weights import open_weights

TEXTS = ("Hello, my name is Suno.", "I like pizza.", "The weather is fine today, is it not?")
SEEDS = (1, 2, 3)
PARTS = ("semantic_tokens", "coarse_tokens", "fine_tokens")
# how the device is driven: name, overrides of torch-fp32, and which of the texts together
WAYS: tuple[tuple[str, dict[str, Any], tuple[int, ...]], ...] = (
    ("graphs, 3 texts", {}, (0, 1, 2)),
    ("graphs, alone", {}, (1,)),
    ("no graphs, 3 texts", {"cuda_graphs": False}, (0, 1, 2)),
    ("offload, alone", {"offload": True}, (2,)),
    ("fine on ONNX Runtime, alone", {"fine": "onnx"}, (0,)),
)


def measure(figures: Figures) -> None:
    options = figures.options
    figures.measure("noise", functools.partial(_noise, options))
    seconds = {"synthetic-tiny": 2.0, "demo": 4.0} if options.cuda else {"synthetic-tiny": 0.2}
    for weights, most in seconds.items():
        truth: list[Result] = []
        figures.measure(f"{weights}: the CPU", functools.partial(_on_cpu, weights, most, truth))
        for name, overrides, rows in WAYS if options.cuda else (WAYS[0], WAYS[-1]):
            one = functools.partial(_beside, options, weights, most, truth, overrides, rows)
            figures.measure(f"{weights}: {name}", one, 5.0)
    for precision in ("bf16", "fp16") if options.cuda else ("bf16",):
        figures.measure(f"demo: {precision} logits", functools.partial(logits, options, precision, 12), 5.0)


def _noise(options: Options) -> Values:
    """Whether noise is made by one kernel, which is compared with arithmetic on tensors first."""
    import torch

    from alrakis.backends.torch.noise import exponential
    from alrakis.backends.torch.noise_kernel import one_kernel

    if not options.cuda:
        return {"summary": "by numpy"}
    made, lack = one_kernel(0, torch.device(options.device), exponential)
    return {"summary": "one kernel, bit for bit" if made else f"arithmetic on tensors: {lack}"}


def _said(weights: str, rows: Sequence[int], most_s: float, **overrides: Any) -> list[Result]:
    if most_s < 1:
        overrides["fine_window"] = "fitted"  # a CPU is to be quick
    with Engine(weights, "torch-fp32", max_batch=len(TEXTS), **overrides) as engine:
        seeds = [SEEDS[row] for row in rows]
        texts = [TEXTS[row] for row in rows]
        return engine.generate(texts, seed=seeds, silent=True, max_gen_duration_s=most_s)


def _on_cpu(weights: str, most_s: float, truth: list[Result]) -> Values:
    truth += _said(weights, range(len(TEXTS)), most_s, device="cpu")
    return {"audio_s": [round(one.duration_s, 2) for one in truth]}


def _beside(
    options: Options,
    weights: str,
    most_s: float,
    truth: list[Result],
    overrides: dict[str, Any],
    rows: tuple[int, ...],
) -> Values:
    found = _said(weights, rows, most_s, device=options.device, **overrides)
    return same([truth[row] for row in rows], found)


def same(truth: Sequence[Result], found: Sequence[Result]) -> Values:
    """Whether all tokens are equal; where not, how many of each part; and the largest error of audio."""
    differ = {
        part: sum(_different(getattr(a, part), getattr(b, part)) for a, b in zip(truth, found, strict=True))
        for part in PARTS
    }
    apart = [
        float(np.abs(a.audio - b.audio).max())
        for a, b in zip(truth, found, strict=True)
        if a.audio.shape == b.audio.shape and a.audio.size
    ]
    return {
        "tokens_equal": not any(differ.values()),
        "different": differ,
        "audio_apart": max(apart, default=0.0),
    }


def _different(a: Any, b: Any) -> int:
    """Tokens that are not equal; all of the longer array where their lengths differ."""
    return int((a != b).sum()) if a.shape == b.shape else max(a.size, b.size)


def logits(options: Options, precision: str, steps: int) -> Values:
    """Steps of the demo voice's text stage in a lower precision beside the CPU's in fp32, on the same tokens.

    Three texts together, over a bucket's edge: the relative error, and how often the likeliest is fp32's.
    """
    import torch

    from alrakis.backends.torch.gpt import TorchCausalGPT

    weights = open_weights("demo")
    part, heads = weights.stage("text"), weights.layout.text_heads
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    here = TorchCausalGPT(part, heads, torch.device("cpu"), torch.float32, slots=3)
    there = TorchCausalGPT(part, heads, torch.device(options.device), dtype, slots=3)
    begin = CONTEXT // 2 - steps // 2
    ids = np.random.default_rng(0).integers(0, weights.layout.semantic_vocab, (3, begin + steps))
    slots, errors, alike = range(3), [], []
    for model in (here, there):
        model.admit(slots, ids[:, :begin])
    for step in range(begin, begin + steps):
        rows = []
        for model in (here, there):
            model.feed(slots, ids[:, step].copy())
            rows.append(model.step(slots)[0].float().cpu())
        errors.append(float((rows[0] - rows[1]).norm() / rows[0].norm()))
        alike.append(float((rows[0].argmax(-1) == rows[1].argmax(-1)).float().mean()))
    return {
        "relative_error": round(max(errors), 5),
        "likeliest_alike": round(float(np.mean(alike)), 3),
        "finite": bool(np.isfinite(errors).all()),
    }
