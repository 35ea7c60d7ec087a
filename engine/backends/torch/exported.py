"""The fine model's ONNX export beside torch: embeddings, noise and draws are torch's, on the same device."""

from pathlib import Path

import torch
from torch import Tensor

from alrakis.backends.onnx.fine_graph import FineGraph
from alrakis.backends.torch.cuda import Beside
from alrakis.backends.torch.fine import Codebooks, FineWindows
from alrakis.backends.torch.model import Reader
from alrakis.weights.types import StageWeights


class ExportedNet(Codebooks):
    """The network, whose blocks and heads ONNX Runtime runs, from torch's memory into torch's memory."""

    def __init__(
        self, weights: StageWeights, folder: Path, threads: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        read = Reader(weights.arrays, device, dtype)
        super().__init__(read, weights.shape)
        self.positions = read("transformer.wpe.weight")
        self._beside = Beside(device)
        self._graph = FineGraph(
            folder,
            weights.shape,
            threads,
            device.type,
            device.index or 0,
            stream=self._beside.address,
            half=dtype is torch.float16,
        )

    def forward(
        self, codes: Tensor, known: Tensor | None, n_known: int, codebook: int, first: int, candidates: int
    ) -> tuple[Tensor, Tensor | None]:
        """As `FineNet.forward`."""
        x, known = self.added(codes, known, n_known, codebook)
        x = (x + self.positions[: codes.shape[1]]).contiguous()
        rows, frames = x.shape[:2]
        logits = x.new_empty(rows, frames - first, candidates)
        with self._beside:
            self._graph.run(codebook, x.data_ptr(), (rows, frames), first, logits.data_ptr(), candidates)
        return logits, known


class ExportedFineGPT(FineWindows):
    """A `FineGPT` over the folder that `build_stage` wrote, in fp32 or fp16.

    Only codes cross the bus of a GPU. threads: of ONNX Runtime, on a CPU. Raises as `FineGraph`.
    """

    def __init__(
        self,
        weights: StageWeights,
        folder: Path,
        candidates: int,
        threads: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        net = ExportedNet(weights, folder, threads, device, dtype)
        super().__init__(net, candidates, device, dtype)
