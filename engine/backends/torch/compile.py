"""Compiled functions: whatever is compiled is one full graph. The decode step can be a CUDA graph as well."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from alrakis.backends.torch.cache import KVCache
from alrakis.errors import BackendError

BUCKET = 256  # attention runs over a multiple of so many positions
_MAX_GRAPHS = 256  # kept of one function, over all models of the process
_WARM_UPS = 3  # runs before a capture: all that is lazy must have happened


class Compiled:
    """A function compiled as one full graph, with room for all the shapes it meets."""

    def __init__(
        self, function: Callable[..., Tensor], *, dynamic: bool | None = None, compiler: str = "inductor"
    ) -> None:
        self.run = torch.compile(function, fullgraph=True, dynamic=dynamic, backend=compiler)

    def __call__(self, *args: Any) -> Tensor:
        """Run it, compiling where needed. Raises BackendError when torch.compile fails on this machine."""
        # torch gives up after 8 graphs of a function; here one a batch size and bucket is what is wanted
        with torch._dynamo.config.patch(cache_size_limit=_MAX_GRAPHS):
            try:
                return self.run(*args)
            except torch._dynamo.exc.TorchDynamoException as error:
                cause = getattr(error, "inner_exception", error)
                raise BackendError(
                    "torch.compile failed on this machine: set compile = false, or install what is missing "
                    f"(Triton for GPUs, a C++ compiler for CPUs): {str(cause).strip().splitlines()[:1]}"
                ) from error


class CompiledStep:
    """A decode step of fixed shapes over a KV cache.

    Batch sizes are rounded up to a power of two and attention to a multiple of 256 positions: few graphs are
    made, and none within a bucket. Tokens and position are read from buffers that stay where they are, so
    that a CUDA graph can be replayed over them.

    step: (tokens `(R,)`, position `(1,)`, keys, values, length) to logits `(R, C)`.
    """

    def __init__(
        self,
        step: Callable[..., Tensor],
        cache: KVCache,
        device: torch.device,
        *,
        cuda_graphs: bool = False,
        compiler: str = "inductor",
    ) -> None:
        self._step = Compiled(step, dynamic=False, compiler=compiler)
        self._cache = cache
        self._device = device
        self._cuda_graphs = cuda_graphs
        self._ready: dict[tuple[int, int], Callable[[], Tensor]] = {}
        self._tokens = torch.empty(0)
        self._position = torch.empty(0)
        self._pool: Any = None

    def begin(self, rows: int, filled: int) -> None:
        """Make room for `rows` sequences whose prefill fills the first positions of the cache."""
        rows = _padded(rows)
        if self._cache.begin(rows):
            self.release()
            self._tokens = torch.zeros(rows, dtype=torch.int64, device=self._device)
            self._position = torch.zeros(1, dtype=torch.int64, device=self._device)
        self._cache.clear(filled)

    def __call__(self, tokens: Tensor, position: int) -> Tensor:
        """Tokens `(B,)` at a position to logits `(B, C)`."""
        rows = _padded(len(tokens))
        length = min(-(-(position + 1) // BUCKET) * BUCKET, self._cache.block_size)
        self._tokens[: len(tokens)] = tokens  # rows behind them go on with any token: nobody reads theirs
        self._position.fill_(position)
        if (rows, length) not in self._ready:
            self._ready[rows, length] = self._prepare(rows, length)
        return self._ready[rows, length]()[: len(tokens)]

    def _prepare(self, rows: int, length: int) -> Callable[[], Tensor]:
        arguments = self._tokens[:rows], self._position, *self._cache.views(rows), length
        self._step(*arguments)  # compiles; running a step twice writes the same keys and values
        run = partial(self._step.run, *arguments)
        return self._recorded(run) if self._cuda_graphs else run

    def _recorded(self, run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """A CUDA graph of `run`. Logits are cloned: the next replay writes over the graph's own."""
        with torch.cuda.device(self._device):
            current, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(current)
            with torch.cuda.stream(aside):
                for _ in range(_WARM_UPS):
                    run()
            current.wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            # other threads may use the device meanwhile
            with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
                logits = run()
            self._pool = graph.pool()

        def replay() -> Tensor:
            graph.replay()
            return logits.clone()

        return replay

    def release(self) -> None:
        """Forget what was recorded over the cache; what was compiled stays."""
        self._ready = {}
        self._pool = None


def _padded(rows: int) -> int:
    """The batch size that is run for so many rows: the next power of two."""
    return 1 << (rows - 1).bit_length()
