"""Starting an ONNX Runtime session where threads and memory may be few, and paths no text."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import onnxruntime as ort

from alrakis.errors import BackendError
from alrakis.hardware import threads_start, usable_cores

_NO_MEMORY = ("bad_alloc", "bad allocation", "Failed to allocate", "pthread_create failed", "Cannot allocate")


def start_session(
    graph: Path | bytes, options: ort.SessionOptions, providers: list[Any], unwanted: Collection[str]
) -> ort.InferenceSession:
    """A session over a graph, a file or its content. unwanted: optimizers that are left out.

    Raises BackendError if its threads cannot be started, MemoryError if it does not fit, and onnxruntime's
    own errors, one class for each of its status codes.
    """
    _check_threads(options.intra_op_num_threads or usable_cores())
    try:
        return ort.InferenceSession(
            _NativePath(graph) if isinstance(graph, Path) else graph,
            options,
            providers=providers,
            disabled_optimizers=list(unwanted),
            enable_fallback=False,  # to the same provider once more, with messages on standard output
        )
    except Exception as error:
        if any(sign in str(error) for sign in _NO_MEMORY):
            raise MemoryError from error
        raise


def _check_threads(count: int) -> None:
    """Raises BackendError unless so many threads can run: ONNX Runtime may wait for ever for the others."""
    if not threads_start(count):
        raise BackendError(
            f"{count} threads cannot be started: this process may have fewer, or there is too little memory "
            "for their stacks (ulimit -u, ulimit -v); --set threads=1 needs no others"
        )


class _NativePath:
    """A path as the system has it, which need not be text; ONNX Runtime takes its bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self._path)
