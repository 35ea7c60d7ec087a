"""Compiling functions as full graphs, and replaying the decode step as a CUDA graph."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from alrakis.backends.torch.cache import KVCache
from alrakis.errors import BackendError

BUCKET = 256  # attention runs over a multiple of this many positions
_MAX_GRAPHS = 256  # of a function, over all models in the process
_WARM_UPS = 3  # runs before a capture, in which lazy initialisation happens


class Compiled:
    """A function compiled as one full graph for each shape of its arguments."""

    def __init__(
        self, function: Callable[..., Tensor], *, dynamic: bool | None = None, compiler: str = "inductor"
    ) -> None:
        self.run = torch.compile(function, fullgraph=True, dynamic=dynamic, backend=compiler)

    def __call__(self, *args: Any) -> Tensor:
        """Run it, compiling if necessary. Raises BackendError if torch.compile fails on this machine."""
        # torch stops after 8 graphs of a function; a graph for each batch size and bucket is intended here
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

    The length of attention is rounded up to a multiple of 256, so that there are few graphs. Tokens and
    positions are in fixed buffers, so that a CUDA graph can be replayed.

    step: (tokens `(R,)`, positions `(R,)`, keys, values, length) to logits `(R, C)`.
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
        self._tokens = torch.zeros(cache.slots, dtype=torch.int64, device=device)
        self._positions = torch.zeros(cache.slots, dtype=torch.int64, device=device)
        self._pool: Any = None

    def __call__(self, tokens: Tensor, positions: Tensor, longest: int) -> Tensor:
        """Run tokens `(R,)` of the first R slots at their positions `(R,)`; returns logits `(R, C)`.

        longest: how many positions attention has to reach.
        """
        rows = len(tokens)
        length = min(-(-longest // BUCKET) * BUCKET, self._cache.block_size)
        self._tokens[:rows] = tokens
        self._positions[:rows] = positions
        if (rows, length) not in self._ready:
            self._ready[rows, length] = self._prepare(rows, length)
        return self._ready[rows, length]()

    def _prepare(self, rows: int, length: int) -> Callable[[], Tensor]:
        views = self._cache.views(slice(0, rows))
        arguments = self._tokens[:rows], self._positions[:rows], *views, length
        self._step(*arguments)  # compiles; a second run writes the same keys and values again
        run = partial(self._step.run, *arguments)
        return self._recorded(run) if self._cuda_graphs else run

    def _recorded(self, run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """A function that replays `run` as a CUDA graph and clones its logits, which a replay overwrites."""
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
        """Forget the CUDA graphs, which refer to the cache's buffers; compiled code is kept."""
        self._ready = {}
        self._pool = None
