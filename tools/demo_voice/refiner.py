"""The refiner: what the sound lacks where only the coarse codes are known, as far as these can tell."""

import torch.nn.functional as F
from torch import Tensor, nn

DILATIONS = (1, 2, 4, 8, 16) * 2  # +-62 frames: the decoder itself sees what was, but hardly what comes


class Refiner(nn.Module):
    """Vectors of the coarse codebooks side by side `(B, 2 * dim, T)` to a correction of their sum
    `(B, dim, T)`. It begins as none at all."""

    def __init__(self, dim: int, width: int = 192) -> None:
        super().__init__()
        self.into = nn.Conv1d(2 * dim, width, 3, padding=1)
        self.wide = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for dilation in DILATIONS
        )
        self.narrow = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in DILATIONS)
        self.out = nn.Conv1d(width, dim, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, vectors: Tensor) -> Tensor:
        x = self.into(vectors)
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            x = x + narrow(F.gelu(wide(F.gelu(x))))
        return self.out(x)
