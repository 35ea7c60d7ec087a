"""The text and coarse models on ONNX Runtime: the KV cache is written in place, a step allocates nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from alrakis.backends.onnx.session import Array, bind, load_table, only_what_is_asked, open_session
from alrakis.errors import BackendError
from alrakis.export.contract import PREFIX_PARTS, cache_type, graph_heads, prefix_parts
from alrakis.sampling import FloatArray, IntArray, Sampling, Upcoming, draw
from alrakis.spec import CONTEXT, GPTShape

PREFIX_CHUNK = 512  # positions of a prefix that run at once: more would take more memory, and no less time


class OnnxCausalGPT:
    """A `CausalGPT` over the folder that `build_stage` wrote.

    A prefix is run row by row: it is bound by arithmetic, so that rows together gain nothing, and at int8 all
    activations of a run are rounded on one scale, so that rows together would influence each other. Steps run
    all rows at once, and round activations block by block. Where keys and values are kept in 8 bits, a graph
    for prefixes gives them so, and reads no cache.
    """

    def __init__(
        self, folder: Path, shape: GPTShape, heads: Sequence[range], threads: int, providers: list[Any]
    ) -> None:
        self._shape = shape
        self._heads = heads
        self._outputs = graph_heads(heads)
        self._step = open_session(folder / "step.onnx", threads, providers)
        self._parameter_bytes = {self._step: self._read_by_a_run(folder / "step.bin")}
        self.read_bytes = 0  # of parameters and cache, by all steps so far
        self._cache_type = cache_type(self._step)
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
        self._cache = self._new_cache(0)
        self._past = np.empty(0, np.int32)
        self._total = np.zeros((), np.int32)
        self._first = np.array([-1])
        self._rows = 0
        self._bound: dict[tuple[ort.InferenceSession, int], ort.IOBinding] = {}  # for the rows there are now

    @property
    def position(self) -> int:
        """How many positions the cache holds."""
        return int(self._total)

    @property
    def position_bytes(self) -> int:
        """Bytes of cache that a step reads for one row and one position before it."""
        return 2 * self._shape.n_layer * self._shape.n_embd * self._cache.itemsize

    def step_bytes(self) -> int:
        """What a step must read at least: parameters once, and the filled part of every row's cache."""
        return self._parameter_bytes[self._step] + self._rows * self.position * self.position_bytes

    def prefill(self, tokens: IntArray, added: IntArray | None = None, *, head: int = 0) -> FloatArray:
        rows, length = tokens.shape
        if length > CONTEXT:
            raise BackendError(f"a prefix has at most {CONTEXT} positions, not {length}")
        self._reserve(rows)
        output = self._output(head)
        logits = np.empty((rows, 1, len(self._outputs[output])), np.float32)
        for row in range(rows):
            x = self._tokens[tokens[row]]
            if added is not None:
                x[: added.shape[1]] += self._tokens[added[row]]
            x += self._positions[:length]
            if self._whole and length >= PREFIX_PARTS:
                self._run_whole(self._whole, x[None], row, output, logits[row : row + 1])
            else:
                self._run_prefix(x[None], row, output, logits[row : row + 1])
        return logits[:, 0, : len(self._heads[head])]

    def _run_prefix(self, x: FloatArray, row: int, output: int, logits: FloatArray) -> None:
        """Embeddings `(1, T, C)` through the cache of one row."""
        rows = slice(row, row + 1)
        for first in range(0, x.shape[1], PREFIX_CHUNK):
            part = x[:, first : first + PREFIX_CHUNK]
            self._total[...] = first + part.shape[1]
            self._past[rows] = self.position - 1
            binding = self._bind(self._many, part, rows, {output: logits})
            self._many.run_with_iobinding(binding, self._options)

    def _run_whole(
        self, session: ort.InferenceSession, x: FloatArray, row: int, output: int, logits: FloatArray
    ) -> None:
        """Embeddings `(1, T, C)` at once; their keys and values become the cache of one row.

        They come without room for later positions: at the row's beginning, and then head by head, from the
        last one on, to where they belong.
        """
        shape, length = self._shape, x.shape[1]
        cache, parts = self._cache[:, :, row], prefix_parts(length)
        size = (shape.n_head, length, shape.head_dim)
        packed = cache.reshape(shape.n_layer, 2, -1)[..., : np.prod(size)].reshape(shape.n_layer, 2, *size)
        binding = session.io_binding()
        bind(binding, "x", x)
        bind(binding, "parts", parts)
        bind(binding, f"logits_{output}", logits, output=True)
        for layer in range(shape.n_layer):
            for number, which in enumerate(("key", "value")):
                bind(binding, f"{which}_{layer}", packed[layer, number, None], output=True)
        session.run_with_iobinding(binding, self._options)
        for head in reversed(range(1, shape.n_head)):
            cache[:, :, head, :length] = packed[:, :, head]
        self._total[...] = length

    def step(self, tokens: IntArray, *, head: int = 0, upcoming: Upcoming | None = None) -> FloatArray:
        """As the protocol says; the logits are overwritten by the next step of the same head."""
        if self.position >= CONTEXT:
            raise BackendError(f"the cache is full: {CONTEXT} positions")
        return self._run_step(self._step, tokens, head)

    def _run_step(self, session: ort.InferenceSession, tokens: IntArray, head: int) -> FloatArray:
        """One more token a row through a graph of steps."""
        np.take(self._tokens, tokens, axis=0, out=self._x[:, 0])
        self._x += self._positions[self.position]
        self.read_bytes += self._parameter_bytes[session] + self._rows * self.position * self.position_bytes
        self._total += 1
        self._past[:] = self.position - 1
        output = self._output(head)
        if (session, output) not in self._bound:
            rows, logits = slice(0, self._rows), {output: self._logits[output]}
            self._bound[session, output] = self._bind(session, self._x, rows, logits)
        session.run_with_iobinding(self._bound[session, output], self._options)
        return self._logits[output][:, 0, : len(self._heads[head])]

    def upload(self, noise: FloatArray) -> FloatArray:
        return noise

    def draw(
        self, logits: FloatArray, noise: FloatArray | None, sampling: Sampling, *, head: int = 0
    ) -> IntArray:
        return draw(logits, noise, sampling) + self._heads[head].start

    def read(self, tokens: IntArray) -> IntArray:
        return tokens

    def keep(self, rows: IntArray) -> None:
        for new, old in enumerate(rows):
            if new != old:
                self._cache[:, :, new, :, : self.position] = self._cache[:, :, old, :, : self.position]
        self._use(len(rows))

    def release(self) -> None:
        """Free the cache, and what prefixes left in their session's arena: a short one gives it back."""
        if self._cache.shape[2]:
            self._options = only_what_is_asked(give_back=True)
            self.prefill(np.zeros((1, PREFIX_PARTS), np.int64))
            self._options = only_what_is_asked()
        self._bound.clear()
        self._cache = self._new_cache(0)

    def _new_cache(self, rows: int) -> Array:
        """Room for the keys and values of some rows; memory is taken only where positions are written."""
        shape = self._shape
        return np.empty((shape.n_layer, 2, rows, shape.n_head, CONTEXT, shape.head_dim), self._cache_type)

    def _read_by_a_run(self, file: Path) -> int:
        """Bytes of a step graph's parameters that a run for one head reads."""
        blocks = 12 * self._shape.n_layer * self._shape.n_embd**2
        heads = [len(ids) * self._shape.n_embd for ids in self._outputs]
        return int(file.stat().st_size * (blocks + heads[0]) / (blocks + sum(heads)))

    def _output(self, head: int) -> int:
        """The output of the graph that a head is read off."""
        ids = self._heads[head]
        return next(i for i, other in enumerate(self._outputs) if ids.start == other.start)

    def _reserve(self, rows: int) -> None:
        """Make room for a batch."""
        if rows > self._cache.shape[2]:
            self._cache = self._new_cache(rows)
        self._use(rows)

    def _use(self, rows: int) -> None:
        """Go on with the first rows of the cache, and with buffers for as many."""
        self._rows = rows
        self._bound.clear()
        self._past = np.empty(rows, np.int32)
        self._x = np.empty((rows, 1, self._shape.n_embd), np.float32)
        self._logits = [np.empty((rows, 1, len(ids)), np.float32) for ids in self._outputs]

    def _bind(
        self,
        session: ort.InferenceSession,
        x: FloatArray,
        rows: slice,
        logits: Mapping[int, FloatArray],
    ) -> ort.IOBinding:
        """logits: where each output that is asked for goes."""
        binding = session.io_binding()
        bind(binding, "x", x)
        bind(binding, "past", self._past[rows])
        bind(binding, "total", self._total)
        bind(binding, "first", self._first)
        for output, memory in logits.items():
            bind(binding, f"logits_{output}", memory, output=True)
        for layer in range(self._shape.n_layer):
            for number, which in enumerate(("key", "value")):
                memory = self._cache[layer, number, rows]
                bind(binding, f"{which}_{layer}", memory)
                bind(binding, f"new_{which}_{layer}", memory, output=True)
        return binding
