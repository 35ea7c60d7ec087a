"""The text and coarse models on ONNX Runtime: the KV cache is written in place, a step allocates nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from alrakis.backends.onnx.session import Array, bind, load_table, only_what_is_asked, open_session
from alrakis.errors import BackendError
from alrakis.export.contract import PREFIX_PARTS, cache_type, graph_heads, prefix_parts
from alrakis.sampling import Draw, FloatArray, IntArray, StageNoise, checked_tokens, draw_tokens
from alrakis.spec import CONTEXT, GPTShape, Stage

PREFIX_CHUNK = 512  # positions of a prefix that run at once: more would take more memory, and no less time
MEASURED_STEPS = 3  # alone and in company


class OnnxCausalGPT:
    """A `CausalGPT` over the folder that `build_stage` wrote.

    A prefix is run alone: it is bound by arithmetic, so that prefixes together gain nothing, and at int8 all
    activations of a run are rounded on one scale, so that they would influence each other. A step runs a
    range of slots that lie side by side in the cache, and rounds activations block by block; slots in the
    range that do not step run too, and leave nothing behind: their next token writes over what they write.
    Where keys and values are kept in 8 bits, a graph for prefixes gives them so, and reads no cache.

    rows: the fewest rows of a step, 1 or 2. With same_in_company a sequence's numbers are the same alone and
    in company: some processors add up a product of one row in another order, there it runs as two.
    """

    def __init__(
        self,
        folder: Path,
        shape: GPTShape,
        stage: Stage,
        heads: Sequence[range],
        threads: int,
        providers: list[Any],
        slots: int,
        *,
        same_in_company: bool = True,
    ) -> None:
        self.slots = slots
        self.batches_prefixes = False
        self.looks_ahead = 0
        self.stride = 1
        self._shape = shape
        self._heads = heads
        self._noise = StageNoise(stage)
        self._outputs = graph_heads(heads)
        self._step = open_session(folder / "step.onnx", threads, providers)
        self._parameter_bytes = {self._step: self._read_by_a_run(folder / "step.bin")}
        self.read_bytes = 0  # of parameters and cache, by all steps so far
        self._cache_type = np.dtype(cache_type(self._step))
        self._many = self._step  # for prefixes, through the cache
        self._whole: ort.InferenceSession | None = None  # for prefixes, without it
        if (folder / "prefill.onnx").exists():
            prefill = open_session(folder / "prefill.onnx", threads, providers)
            if self._cache_type == np.int8:
                self._whole = prefill
            else:
                self._many = prefill
        self._options = only_what_is_asked()
        self._tokens = load_table(folder, "tokens")
        self._positions = np.array(load_table(folder, "positions"))
        self._filled = np.zeros(slots, np.int32)  # positions that each slot holds
        self._last = np.zeros(slots, np.int64)  # the token drawn last in each slot
        self._past = np.empty(slots, np.int32)
        self._total = np.zeros((), np.int32)
        self._first = np.array([-1])
        self._x = np.zeros((slots, 1, shape.n_embd), np.float32)
        self._logits = [np.empty((slots, 1, len(ids)), np.float32) for ids in self._outputs]
        self._cache: Array | None = None
        self._bound: dict[tuple[ort.InferenceSession, int, int], ort.IOBinding] = {}
        self.rows = self._fewest_rows() if same_in_company else 1

    def _fewest_rows(self) -> int:
        """1 if steps of a sequence give the same bits as one row and as two, else 2; measured in slot 0."""
        if self.slots == 1:
            return 1
        found = []
        for self.rows in (1, 2):
            self._filled[:] = self._last[:] = 0
            for _ in range(MEASURED_STEPS):
                found.append(np.concatenate(self._run_step(self._step, [0]), axis=-1))
        self.read_bytes = 0
        self._free()
        return 1 if np.array_equal(found[:MEASURED_STEPS], found[MEASURED_STEPS:]) else 2

    @property
    def position_bytes(self) -> int:
        """Bytes of cache that a step reads for one slot and one position before it."""
        return 2 * self._shape.n_layer * self._shape.n_embd * self._cache_type.itemsize

    def step_bytes(self, slots: Sequence[int]) -> int:
        """What a step must read at least: parameters once, and the filled part of every slot's cache."""
        filled = sum(int(self._filled[slot]) for slot in slots)
        return self._parameter_bytes[self._step] + filled * self.position_bytes

    def admit(
        self, slots: Sequence[int], tokens: IntArray, added: IntArray | None = None
    ) -> list[FloatArray]:
        length = tokens.shape[1]
        if length > CONTEXT:
            raise BackendError(f"a prefix has at most {CONTEXT} positions, not {length}")
        logits = [np.empty((len(slots), 1, len(ids)), np.float32) for ids in self._outputs]
        for row, slot in enumerate(slots):
            x = self._tokens[tokens[row]]
            if added is not None:
                x[: added.shape[1]] += self._tokens[added[row]]
            x += self._positions[:length]
            own = [memory[row : row + 1] for memory in logits]
            if self._whole and length >= PREFIX_PARTS:
                self._run_whole(self._whole, x[None], slot, own)
            else:
                self._run_prefix(x[None], slot, own)
            self._filled[slot] = length
        return self._by_head(logits)

    def _run_prefix(self, x: FloatArray, slot: int, logits: Sequence[FloatArray]) -> None:
        """Embeddings `(1, T, C)` through the cache of one slot."""
        for first in range(0, x.shape[1], PREFIX_CHUNK):
            part = x[:, first : first + PREFIX_CHUNK]
            self._reach(slice(slot, slot + 1), first + part.shape[1])
            binding = self._bind(self._many, part, slice(slot, slot + 1), logits)
            self._many.run_with_iobinding(binding, self._options)

    def _run_whole(
        self, session: ort.InferenceSession, x: FloatArray, slot: int, logits: Sequence[FloatArray]
    ) -> None:
        """Embeddings `(1, T, C)` at once; their keys and values become the cache of one slot.

        They come without room for later positions: at the slot's beginning, and then head by head, from the
        last one on, to where they belong.
        """
        shape, length = self._shape, x.shape[1]
        cache, parts = self._memory()[:, :, slot], prefix_parts(length)
        size = (shape.n_head, length, shape.head_dim)
        packed = cache.reshape(shape.n_layer, 2, -1)[..., : np.prod(size)].reshape(shape.n_layer, 2, *size)
        binding = session.io_binding()
        bind(binding, "x", x)
        bind(binding, "parts", parts)
        for output, memory in enumerate(logits):
            bind(binding, f"logits_{output}", memory, output=True)
        for layer in range(shape.n_layer):
            for number, which in enumerate(("key", "value")):
                bind(binding, f"{which}_{layer}", packed[layer, number, None], output=True)
        session.run_with_iobinding(binding, self._options)
        for head in reversed(range(1, shape.n_head)):
            cache[:, :, head, :length] = packed[:, :, head]

    def step(self, slots: Sequence[int], ahead: Sequence[Draw] = ()) -> list[FloatArray]:
        for slot in slots:
            if self._filled[slot] >= CONTEXT:
                raise BackendError(f"the cache is full: {CONTEXT} positions")
        return self._run_step(self._step, slots)

    def _run_step(self, session: ort.InferenceSession, slots: Sequence[int]) -> list[FloatArray]:
        """The last token of each slot through a graph of steps."""
        range_ = self._range(slots)
        np.take(self._tokens, self._last[range_], axis=0, out=self._x[range_, 0])
        filled = np.minimum(self._filled[range_], CONTEXT - 1)
        self._x[range_, 0] += self._positions[filled]
        self._past[range_] = filled
        self._total[...] = filled.max() + 1
        self.read_bytes += self._parameter_bytes[session] + int(filled.sum()) * self.position_bytes
        key = session, range_.start, range_.stop
        if key not in self._bound:
            logits = [memory[range_] for memory in self._logits]
            self._bound[key] = self._bind(session, self._x[range_], range_, logits)
        session.run_with_iobinding(self._bound[key], self._options)
        rows = list(slots)
        self._filled[rows] += 1
        if len(rows) == range_.stop - range_.start:
            return self._by_head([memory[range_] for memory in self._logits])
        return self._by_head([memory[rows] for memory in self._logits])

    def _range(self, slots: Sequence[int]) -> slice:
        """The slots from the first to the last of these, and beside them if they are too few."""
        first, stop = slots[0], slots[-1] + 1
        stop = min(max(stop, first + self.rows), self.slots)
        return slice(min(first, stop - self.rows), stop)

    def draw(self, logits: list[FloatArray], slots: Sequence[int], draws: Sequence[Draw]) -> IntArray:
        tokens = draw_tokens(logits, draws, self._noise, [head.start for head in self._heads])
        self._last[list(slots)] = tokens
        return tokens

    def feed(self, slots: Sequence[int], tokens: IntArray) -> None:
        self._last[list(slots)] = tokens

    def read(self, tokens: IntArray) -> IntArray:
        return checked_tokens(tokens)

    def leave(self, slot: int) -> None:
        self._filled[slot] = 0

    def release(self) -> None:
        """Free the cache, and what prefixes left in their session's arena: a short one gives it back."""
        if self._cache is not None:
            self._options = only_what_is_asked(give_back=True)
            self.admit([0], np.zeros((1, PREFIX_PARTS), np.int64))
            self._options = only_what_is_asked()
        self._free()

    def _free(self) -> None:
        self._bound.clear()
        self._filled[:] = 0
        self._cache = None

    def _memory(self) -> Array:
        """Keys and values of all slots; memory is taken only where positions are written."""
        if self._cache is None:
            shape = self._shape
            size = (shape.n_layer, 2, self.slots, shape.n_head, CONTEXT, shape.head_dim)
            try:
                self._cache = np.empty(size, self._cache_type)
            except MemoryError as error:
                raise BackendError(
                    f"no memory for the KV cache of {self.slots} sequences: lower max_batch ({error})"
                ) from None
        return self._cache

    def _read_by_a_run(self, file: Path) -> int:
        """Bytes of a step graph's parameters that a run for one head reads."""
        blocks = 12 * self._shape.n_layer * self._shape.n_embd**2
        heads = [len(ids) * self._shape.n_embd for ids in self._outputs]
        return int(file.stat().st_size * (blocks + heads[0]) / (blocks + sum(heads)))

    def _by_head(self, outputs: Sequence[FloatArray]) -> list[FloatArray]:
        """For each head the logits `(B, C)` of its ids, which begin one of the graph's outputs."""
        starts = [ids.start for ids in self._outputs]
        return [outputs[starts.index(ids.start)][:, 0, : len(ids)] for ids in self._heads]

    def _reach(self, slots: slice, total: int) -> None:
        """Tell the next run that the slots hold `total` positions after it."""
        self._total[...] = total
        self._past[slots] = total - 1

    def _bind(
        self, session: ort.InferenceSession, x: FloatArray, slots: slice, logits: Sequence[FloatArray]
    ) -> ort.IOBinding:
        """logits: where each output goes."""
        binding = session.io_binding()
        bind(binding, "x", x)
        bind(binding, "past", self._past[slots])
        bind(binding, "total", self._total)
        bind(binding, "first", self._first)
        for output, memory in enumerate(logits):
            bind(binding, f"logits_{output}", memory, output=True)
        cache = self._memory()
        for layer in range(self._shape.n_layer):
            for number, which in enumerate(("key", "value")):
                memory = cache[layer, number, slots]
                bind(binding, f"{which}_{layer}", memory)
                bind(binding, f"new_{which}_{layer}", memory, output=True)
        return binding
