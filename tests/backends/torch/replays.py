"""What a CUDA graph does, on any device: calls of torch's operators are recorded, and done again.

As with a graph, no Python runs in a replay, every tensor stays where it was, and what a call was given by the
host (a length, a position) is what it is given again. So a function that asks the host for anything is
replayed wrongly, and shows it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Run = Callable[[], None]
READS = ("_local_scalar_dense", "nonzero")


class Replays:
    """A `Recorder` for tests. recorded: of each recording, how many operators it runs again."""

    def __init__(self) -> None:
        self.recorded: list[int] = []
        self.replayed = 0

    def record(self, run: Run) -> Run:
        for _ in range(2):
            run()
        with _Calls() as calls:
            run()
        self.recorded.append(len(calls.made))

        def replay() -> None:
            self.replayed += 1
            for function, args, kwargs, out in calls.made:
                _into(out, function(*args, **kwargs))

        return replay


class _Calls(TorchDispatchMode):
    """All calls of operators that compute something; those that only give a view of a tensor need none."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = str(function)
        assert not any(read in name for read in READS), f"{name} asks for a value"
        with self:  # what is made of other operators arrives here as those
            parts = function.decompose(*args, **kwargs)
        if parts is not NotImplemented:
            return parts
        out = function(*args, **kwargs)
        given = {leaf.data_ptr() for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        views = function.is_view or (
            function._schema.is_mutable is False
            and any(isinstance(leaf, Tensor) and leaf.data_ptr() in given for leaf in tree_leaves(out))
        )
        if not views:
            self.made.append((function, args, kwargs, out))
        return out


def _into(there: Any, made: Any) -> None:
    """Results into the tensors that held them when they were recorded; calls in place gave those back."""
    for old, new in zip(tree_leaves(there), tree_leaves(made), strict=True):
        if isinstance(old, Tensor) and old is not new and old.data_ptr() != new.data_ptr():
            old.copy_(new)


def kernels(run: Run) -> list[str]:
    """The operators that a function runs and a device would start a kernel for, by name."""
    with torch.inference_mode(), _Calls() as calls:
        run()
    names = [str(function).removeprefix("aten.") for function, *_ in calls.made]
    return [name for name in names if not name.startswith("empty")]
