"""What every training step shares: optimizers, the schedule, an average of the parameters, checkpoints."""

import functools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

SAVE_EVERY_S = 150


@dataclass(frozen=True)
class Plan:
    """How long to train: `flat` steps at the peak, then `decay` steps down to nothing.

    peak: share of a step's full rate; what is trained already goes on at less.
    """

    flat: int
    decay: int
    warmup: int = 60
    peak: float = 1.0

    @property
    def steps(self) -> int:
        return self.flat + self.decay

    def rate(self, step: int) -> float:
        down = (self.steps - step) / max(1, self.decay)
        return self.peak * max(0.02, min(1.0, (step + 1) / self.warmup, down))


class Training:
    """One model on its way: call `step(loss)` for each batch; `finished` says when to stop.

    A checkpoint in `path` is taken up again, optimizers included; the plan may differ from the one it was
    begun with. The average is what gets packed.
    """

    def __init__(self, model: nn.Module, path: Path, plan: Plan, muon: float, adam: float) -> None:
        self.model, self.path, self.plan = model, path, plan
        self.count, self.work_s, self.seen = 0, 0.0, 0
        self._optimizers = _optimizers(model, muon, adam)
        self._named = dict(model.named_parameters())
        self._average = {name: p.detach().clone() for name, p in self._named.items()}
        self._losses: list[dict[str, float]] = []
        self._saved = self._reported = time.time()
        self._cpu = time.process_time()
        if path.exists():
            self._restore()

    @property
    def finished(self) -> bool:
        return self.count >= self.plan.steps

    def step(self, total: Tensor, rows: int, **shown: float) -> None:
        rate = self.plan.rate(self.count)
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["base"] * rate
            optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if not torch.isfinite(norm):
            print("a step without finite gradients is left out", flush=True)
            return
        for optimizer in self._optimizers:
            optimizer.step()
        self.count += 1
        self.seen += rows
        keep = min(0.998, (self.count + 1) / (self.count + 10))
        with torch.no_grad():
            names = list(self._average)
            torch._foreach_lerp_(
                [self._average[n] for n in names], [self._named[n].detach() for n in names], 1 - keep
            )
        self._losses.append(shown)
        if self.count % 50 == 0:
            self._report(rate)
        if time.time() - self._saved > SAVE_EVERY_S:
            self.save()

    def averaged(self) -> dict[str, Tensor]:
        """The averaged parameters, each once."""
        return {name: tensor.clone() for name, tensor in self._average.items()}

    def save(self) -> None:
        self._clock()
        making = self.path.with_suffix(f".{os.getpid()}.tmp")
        torch.save(
            {
                "model": self.model.state_dict(),
                "average": self._average,
                "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
                "count": self.count,
                "work_s": self.work_s,
                "seen": self.seen,
            },
            making,
        )
        making.rename(self.path)
        self._saved = time.time()

    def _restore(self) -> None:
        saved = torch.load(self.path, weights_only=True)
        self.model.load_state_dict(saved["model"])
        self._average = saved["average"]
        for optimizer, state in zip(self._optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.count, self.work_s, self.seen = saved["count"], saved["work_s"], saved["seen"]
        print(f"taken up at step {self.count}", flush=True)

    def _clock(self) -> None:
        now = time.process_time()
        self.work_s += now - self._cpu
        self._cpu = now

    def _report(self, rate: float) -> None:
        self._clock()
        names = {name for one in self._losses for name in one}
        means = {name: np.mean([one[name] for one in self._losses if name in one]) for name in sorted(names)}
        shown = " ".join(f"{name} {value:.3f}" for name, value in means.items())
        now = time.time()
        print(
            f"step {self.count} rows {self.seen} rate {rate:.2f} {shown} "
            f"cpu {self.work_s / 60:.1f} min, {now - self._reported:.0f} s for 50",
            flush=True,
        )
        self._losses, self._reported = [], now


def mixed_precision() -> torch.autocast:
    """A context for the forward pass: bf16 where this CPU multiplies it faster than fp32."""
    return torch.autocast("cpu", torch.bfloat16, enabled=_bf16_is_faster())


@functools.cache
def _bf16_is_faster() -> bool:
    took = []
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.ones(2048, 768, dtype=dtype), torch.ones(768, 768, dtype=dtype)
        a @ b  # the first is slower
        began = time.process_time()
        for _ in range(8):
            a @ b
        took.append(time.process_time() - began)
    return took[1] < took[0]


def load_average(path: Path) -> dict[str, Tensor]:
    """The averaged parameters of a checkpoint."""
    average: dict[str, Tensor] = torch.load(path, weights_only=True)["average"]
    return average


def batches(
    lengths: Any, tokens: int, generator: np.random.Generator, pool: int = 400
) -> Iterator[list[int]]:
    """Rows of like length, about `tokens` positions a batch, without end; each row once in a round."""
    while True:
        order = generator.permutation(len(lengths))
        for start in range(0, len(order), pool):
            some = sorted(order[start : start + pool], key=lambda row: lengths[row])
            groups: list[list[int]] = []
            group: list[int] = []
            for row in some:
                if group and lengths[row] * (len(group) + 1) > tokens:
                    groups.append(group)
                    group = []
                group.append(int(row))
            groups.append(group)
            generator.shuffle(groups)
            yield from groups


def _optimizers(model: nn.Module, muon: float, adam: float) -> list[Any]:
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and ".h." in name]
    taken = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in taken]
    optimizers: list[Any] = []
    if matrices:
        optimizers.append(
            torch.optim.Muon(
                matrices, lr=muon, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw"
            )
        )
    optimizers.append(torch.optim.AdamW(others, lr=adam, betas=(0.9, 0.98), weight_decay=0.0))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["base"] = group["lr"]
    return optimizers
