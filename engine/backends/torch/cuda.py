"""What only a CUDA device can run: recording work as a graph, and bringing tokens to the host meanwhile.

Everything else of the path to a GPU runs on a CPU as well, and is tested there.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from alrakis.errors import BackendError
from alrakis.sampling import IntArray

_WARM_UPS = 2  # runs before a capture, in which lazy initialisation happens

Run = Callable[[], None]


class Graphs:
    """Records functions as CUDA graphs, to be replayed one after the other, in any order.

    A function reads and writes tensors that were there before and stay; its own share one pool of memory. It
    asks the host for nothing: no value is read, none comes from there.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._aside: Any = None  # a capture is not possible on the stream where everything else runs
        self._pool: Any = None

    def record(self, run: Run) -> Run:
        """A function that replays what `run` does, in one launch; for that it is run a few times.

        Raises BackendError where this card or driver does not take it.
        """
        with torch.cuda.device(self._device):
            if self._aside is None:
                self._aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            current = torch.cuda.current_stream()
            self._aside.wait_stream(current)
            with torch.cuda.stream(self._aside):
                for _ in range(_WARM_UPS):
                    run()
            graph = torch.cuda.CUDAGraph()
            try:
                self._capture(graph, run)
            except torch.cuda.OutOfMemoryError:
                raise
            except RuntimeError as error:
                raise BackendError(
                    "a decode step cannot be recorded as a CUDA graph here: set cuda_graphs = false "
                    f"({str(error).splitlines()[0]})"
                ) from error
            finally:
                torch.cuda.set_stream(current)  # a capture that fails leaves its own behind
            current.wait_stream(self._aside)
        return graph.replay

    def _capture(self, graph: torch.cuda.CUDAGraph, run: Run) -> None:
        # other threads may use the device meanwhile
        with torch.cuda.graph(graph, pool=self._pool, stream=self._aside, capture_error_mode="thread_local"):
            run()
        self._pool = graph.pool()


class Beside:
    """A stream for another framework: what it does within comes after torch's work, and before what follows.

    On other devices it does nothing. address: of the stream, for the other framework.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: Any = None
        self.address = 0
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            self.address = int(self._stream.cuda_stream)

    def __enter__(self) -> None:
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self._device))

    def __exit__(self, *error: object) -> None:
        if self._stream is not None:
            torch.cuda.current_stream(self._device).wait_stream(self._stream)


def pinned(tensor: Tensor) -> Tensor:
    """A tensor of the host in memory from which a device copies without making the host wait."""
    return tensor.pin_memory()


class Arrival:
    """Rows of tokens on their way to the host: nobody waits before they are read."""

    def __init__(self, tokens: Tensor) -> None:
        self._rows = np.arange(len(tokens))
        self._event: Any = None
        if not tokens.is_cuda:
            self._host = tokens.to("cpu", copy=True)
            return
        self._host = torch.empty(tokens.shape, dtype=tokens.dtype, pin_memory=True)
        self._host.copy_(tokens, non_blocking=True)
        # blocking: a thread that waits leaves its core to others
        self._event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        self._event.record(torch.cuda.current_stream(tokens.device))

    def __getitem__(self, rows: slice | list[int]) -> "Arrival":
        """Some rows of them, which need not be there yet."""
        part = copy.copy(self)
        part._rows = self._rows[rows]
        return part

    def read(self) -> IntArray:
        """The tokens, once they are there."""
        if self._event is not None:
            self._event.synchronize()
        host: IntArray = self._host.numpy()[self._rows]
        return host
