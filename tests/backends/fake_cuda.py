"""A CUDA device that is not there: tensors have shape, dtype and device, but no values.

torch's FakeTensorMode raises when tensors of two devices meet, and when a value is read on the host.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

from alrakis.backends.torch import backend, device, gpt, steps
from alrakis.sampling import IntArray

CUDA = torch.device("cuda:0")
aten = torch.ops.aten


@contextmanager
def fake_cuda() -> Iterator[None]:
    """Within it, `cuda:0` can be used on any machine. Real tensors on the CPU are taken as fake ones."""
    with (
        mock.patch.object(nn.Module, "_apply", _apply),
        # else tensors of one element keep their value, and torch computes with it where it says they are
        mock.patch.object(FakeTensorMode, "may_turn_const", return_value=False),
        torch.backends.cudnn.flags(enabled=False),  # it looks for memory that is not there
        mock.patch.object(torch.cuda, "device", nullcontext),
        mock.patch.object(backend, "Graphs", _Direct),
        mock.patch.object(device, "pinned", lambda tensor: tensor),
        mock.patch.object(steps, "Arrival", _Arrival),
        mock.patch.object(gpt, "Arrival", _Arrival),
        FakeTensorMode(allow_non_fake_inputs=True),
        _WithoutDeviceGuards(),
    ):
        yield


def _apply(module: nn.Module, function: Any, recurse: bool = True) -> nn.Module:
    """`Module.to`, giving new parameters: fake ones cannot change device in place."""
    for child in module.children():
        child._apply(function)
    for name, parameter in module.named_parameters(recurse=False):
        setattr(module, name, nn.Parameter(function(parameter), requires_grad=False))
    return module


class _WithoutDeviceGuards(TorchFunctionMode):
    """Indexing and copies through torch's dispatcher.

    Their Python bindings ask for a device guard first, which a build of torch without CUDA does not have.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "__getitem__":
            view, indices = _view(*args)
            return aten.index(view, indices) if indices else view
        if name == "__setitem__":
            tensor, index, value = args
            view, indices = _view(tensor, index)
            if indices:
                return aten.index_put_(view, indices, value)
            return aten.copy_(view, value) if isinstance(value, Tensor) else view.fill_(value)
        if name == "copy_":
            return aten.copy_(*args, **kwargs)
        if name == "contiguous":
            return _contiguous(*args)
        if name in ("conv1d", "conv_transpose1d"):  # ask for contiguous input inside
            args = [_contiguous(arg) if isinstance(arg, Tensor) else arg for arg in args]
        return func(*args, **kwargs)


class _Direct:
    """A `Recorder` that records nothing."""

    def __init__(self, device: torch.device) -> None:
        pass

    def record(self, run: Any) -> Any:
        return run


class _Arrival:
    """Tokens that have no values: on the host they are zeros."""

    def __init__(self, tokens: Tensor) -> None:
        assert tokens.device == CUDA
        self._shape = tuple(tokens.shape)

    def __getitem__(self, rows: list[int] | slice) -> "_Arrival":
        part = object.__new__(_Arrival)
        part._shape = np.empty(self._shape)[rows].shape
        return part

    def read(self) -> IntArray:
        return np.zeros(self._shape, np.int64)


def _contiguous(tensor: Tensor) -> Tensor:
    return aten.clone(tensor, memory_format=torch.contiguous_format)


def _view(tensor: Tensor, index: Any) -> tuple[Tensor, list[Tensor | None]]:
    """What integers, slices, None and an ellipsis choose of a tensor, and the arrays of indices into it."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in [part for part in parts if not hasattr(part, "shape")]:
        at = parts.index(Ellipsis)
        named = sum(part is not None for part in parts) - 1
        parts[at : at + 1] = [slice(None)] * (tensor.dim() - named)
    indices: list[Tensor | None] = []
    for part in parts:
        dim = len(indices)
        if isinstance(part, int):
            tensor = aten.select(tensor, dim, part)
            continue
        indices.append(None)
        if part is None:
            tensor = aten.unsqueeze(tensor, dim)
        elif isinstance(part, slice):
            assert part.step is None
            tensor = aten.slice(tensor, dim, part.start, part.stop)
        else:
            indices[dim] = part if isinstance(part, Tensor) else torch.tensor(part, device=tensor.device)
    return tensor, indices if any(each is not None for each in indices) else []
