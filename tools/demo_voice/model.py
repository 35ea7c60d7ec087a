"""The three GPTs as they are trained: Bark's structure, suno's names (`bark/model.py`, `model_fine.py`)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

POSITIONS = 1024
CODEBOOKS = 8


class Norm(nn.Module):
    def __init__(self, width: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.c_attn = nn.Linear(width, 3 * width, bias=False)
        self.c_proj = nn.Linear(width, width, bias=False)
        self.heads = heads

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Also returns the masked scores `(B, heads, T, T)`. On a CPU this beats the fused function."""
        rows, length, width = x.shape
        split = self.c_attn(x).view(rows, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        query = (query * (width // self.heads) ** -0.5).flatten(0, 1)
        key, value = key.flatten(0, 1).transpose(1, 2), value.flatten(0, 1)
        if mask is None:
            scores = torch.bmm(query, key)
        else:
            scores = torch.baddbmm(mask.to(query.dtype).expand(len(query), -1, -1), query, key)
        mixed = torch.bmm(scores.softmax(-1).to(value.dtype), value)
        mixed = mixed.view(rows, self.heads, length, -1).transpose(1, 2).reshape(rows, length, width)
        return self.c_proj(mixed), scores.view(rows, self.heads, length, length)


class MLP(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width, bias=False)
        self.c_proj = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.ln_1, self.attn = Norm(width, bias), Attention(width, heads)
        self.ln_2, self.mlp = Norm(width, bias), MLP(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        mixed, scores = self.attn(self.ln_1(x), mask)
        x = x + mixed
        return x + self.mlp(self.ln_2(x)), scores


class Trunk(nn.Module):
    """What suno's names call `transformer`."""

    def __init__(self, inputs: int, layers: int, heads: int, width: int) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(inputs, width), nn.Embedding(POSITIONS, width)
        self.h = nn.ModuleList(Block(width, heads, False) for _ in range(layers))
        self.ln_f = Norm(width, False)


class FineTrunk(nn.Module):
    """The same of the fine model, with an embedding for each codebook."""

    def __init__(self, vocab: int, layers: int, heads: int, width: int) -> None:
        super().__init__()
        self.wtes = nn.ModuleList(nn.Embedding(vocab, width) for _ in range(CODEBOOKS))
        self.wpe = nn.Embedding(POSITIONS, width)
        self.h = nn.ModuleList(Block(width, heads, True) for _ in range(layers))
        self.ln_f = Norm(width, True)


class GPT(nn.Module):
    """The text and the coarse model: embeddings in, hidden states out; heads are applied by who trains it."""

    def __init__(self, inputs: int, outputs: int, layers: int, heads: int, width: int) -> None:
        super().__init__()
        self.transformer = Trunk(inputs, layers, heads, width)
        self.lm_head = nn.Linear(width, outputs, bias=False)
        _initialise(self, layers)
        self._masks: dict[int, Tensor] = {}

    def body(self, x: Tensor, scores_of: tuple[int, ...] = ()) -> tuple[Tensor, list[Tensor]]:
        """Hidden states `(B, T, width)`, and the scores of some layers."""
        scores, mask = [], self._mask(x.shape[1])
        for number, block in enumerate(self.transformer.h):
            x, score = block(x, mask)
            if number in scores_of:
                scores.append(score)
        return self.transformer.ln_f(x), scores

    def _mask(self, length: int) -> Tensor:
        if length not in self._masks:
            if len(self._masks) > 60:
                self._masks.clear()
            ahead = torch.ones(length, length, dtype=torch.bool).triu(1)
            self._masks[length] = torch.zeros(length, length).masked_fill(ahead, -1e4).bfloat16()
        return self._masks[length]


class FineGPT(nn.Module):
    """The fine model: sees all frames; its last seven embeddings are tied to its heads."""

    def __init__(self, vocab: int, layers: int, heads: int, width: int) -> None:
        super().__init__()
        self.transformer = FineTrunk(vocab, layers, heads, width)
        self.lm_heads = nn.ModuleList(nn.Linear(width, vocab, bias=False) for _ in range(CODEBOOKS - 1))
        _initialise(self, 1)
        for number, head in enumerate(self.lm_heads):
            self.transformer.wtes[number + 1].weight = head.weight

    def forward(self, codebook: int, codes: Tensor) -> Tensor:
        """Codes `(B, T, 8)` to logits `(B, T, vocab)` of one codebook."""
        embeddings = self.transformer.wtes
        x = torch.stack([embeddings[i](codes[:, :, i]) for i in range(codebook + 1)]).sum(0)
        x = x + self.transformer.wpe.weight[: codes.shape[1]]
        for block in self.transformer.h:
            x, _ = block(x, None)
        return self.lm_heads[codebook - 1](self.transformer.ln_f(x))


def _initialise(model: nn.Module, layers: int) -> None:
    for name, weight in model.named_parameters():
        if weight.dim() == 2:
            into_residual = name.endswith("c_proj.weight")
            nn.init.normal_(weight, 0, 0.02 / math.sqrt(2 * layers) if into_residual else 0.02)


def set_positions(model: GPT | FineGPT, times: Tensor, periods: Tensor, size: float) -> None:
    """Start the position embeddings with sinusoids over `times`, so that two sequences are aligned."""
    angles = times[:, None] / periods * 2 * math.pi
    waves = torch.cat([angles.sin(), angles.cos()], 1) * size
    with torch.no_grad():
        model.transformer.wpe.weight[:, : waves.shape[1]] = waves


def know_codebooks(rows: Sequence[Tensor], books: Sequence[Tensor], first: int) -> None:
    """Start the embeddings of codes with the codec's own vectors, so that near codes are near.

    rows: views of embeddings (or heads) `(entries, width)`, one for each codebook `(entries, dim)`; dims from
    `first` on are set. One scale for all keeps their sum what the codec decodes.
    """
    scale = 0.1 / books[0].std().clamp(min=1e-6)  # a codec that has just begun has no vectors yet
    with torch.no_grad():
        for row, book in zip(rows, books, strict=True):
            row[:, first : first + book.shape[1]] = book * scale


def look_at_same_time(model: GPT | FineGPT, layers: tuple[int, ...], size: int, width: int) -> None:
    """Start the first head of some layers as one that attends to where the positions agree."""
    with torch.no_grad():
        for number in layers:
            block = model.transformer.h[number]
            assert isinstance(block, Block)
            weight = block.attn.c_attn.weight
            near = torch.zeros(size, width)
            near[:, :size] = torch.eye(size) * 1.3
            for start in (0, width):
                weight[start : start + size] = near + 0.02 * torch.randn(size, width)


def look_beside(
    model: FineGPT, layer: int, offsets: Sequence[int], periods: Tensor, width: int, sharpness: float = 3.0
) -> None:
    """Start each head of a layer as one that attends to the frame `offset` after its own.

    periods: those of `set_positions`; a query turns the waves of its own position by the offset.
    """
    block, size = model.transformer.h[layer], 2 * len(periods)
    assert isinstance(block, Block)
    head = width // len(offsets)
    with torch.no_grad():
        weight = block.attn.c_attn.weight
        weight[: 2 * width] *= 0.3
        for number, offset in enumerate(offsets):
            turn = offset / periods * 2 * math.pi
            cos, sin = torch.diag(turn.cos()), torch.diag(turn.sin())
            query = torch.cat([torch.cat([cos, sin], 1), torch.cat([-sin, cos], 1)])
            weight[number * head :][:size, :size] += sharpness * query
            weight[width + number * head :][:size, :size] += sharpness * torch.eye(size)
