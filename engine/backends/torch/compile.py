"""Compiling functions as full graphs."""

import importlib.util
import os
import shutil
from collections.abc import Callable
from typing import Any

import torch

from alrakis.errors import BackendError

_COMPILERS = {True: ("cc", "gcc", "clang"), False: ("c++", "g++", "clang++")}  # of C, of C++
_MAX_GRAPHS = 256  # of a function, over all models in the process


class CompilationError(BackendError):
    """torch.compile fails on this machine."""


class Compiled:
    """A function compiled as one full graph for each shape of its arguments."""

    def __init__(
        self, function: Callable[..., Any], *, dynamic: bool | None = None, compiler: str = "inductor"
    ) -> None:
        # without it, inductor's products of a matrix and a few rows stay far below what memory allows
        options: Any = {"coordinate_descent_tuning": True} if compiler == "inductor" else None
        self.run = torch.compile(function, fullgraph=True, dynamic=dynamic, backend=compiler, options=options)

    def __call__(self, *args: Any) -> Any:
        """Run it, compiling if necessary. Raises CompilationError."""
        # torch stops after 8 graphs of a function; a graph for each batch size and bucket is intended here
        with torch._dynamo.config.patch(cache_size_limit=_MAX_GRAPHS):
            try:
                return self.run(*args)
            except torch._dynamo.exc.TorchDynamoException as error:
                cause = getattr(error, "inner_exception", error)
                raise CompilationError(
                    "torch.compile failed on this machine: set compile = false, or install what is missing "
                    f"(Triton for GPUs, a C++ compiler for CPUs): {str(cause).strip().splitlines()[:1]}"
                ) from error


def missing(device: torch.device) -> str | None:
    """What torch.compile lacks on this machine for a device, in words; None if it has all."""
    if device.type == "cuda" and importlib.util.find_spec("triton") is None:
        return "Triton, which this build of torch came without"
    names = [os.environ.get("CC" if device.type == "cuda" else "CXX"), *_COMPILERS[device.type == "cuda"]]
    if os.name != "nt" and not any(name and shutil.which(name) for name in names):
        return "a C compiler" if device.type == "cuda" else "a C++ compiler"
    return None
