"""Starting an ONNX Runtime session where threads and memory may be few, and paths no text."""

import os
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import onnxruntime as ort

from alrakis.errors import BackendError
from alrakis.hardware import usable_cores

_NO_MEMORY = ("bad_alloc", "bad allocation", "Failed to allocate", "pthread_create failed", "Cannot allocate")


def start_session(
    path: Path, options: ort.SessionOptions, providers: list[Any], unwanted: Collection[str]
) -> ort.InferenceSession:
    """A session over a graph file. unwanted: optimizers that are left out.

    Raises BackendError if its threads cannot be started, MemoryError if it does not fit, and onnxruntime's
    own errors, one class for each of its status codes.
    """
    _check_threads(options.intra_op_num_threads or usable_cores())
    try:
        return ort.InferenceSession(
            _NativePath(path),
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
    end = threading.Event()
    started: list[threading.Thread] = []
    try:
        while len(started) < count - 1:  # the caller's is one of them
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError):
        raise BackendError(
            f"{count} threads cannot be started: this process may have fewer, or there is too little memory "
            "for their stacks (ulimit -u, ulimit -v); --set threads=1 needs no others"
        ) from None
    finally:
        end.set()
        for thread in started:
            thread.join()


class _NativePath:
    """A path as the system has it, which need not be text; ONNX Runtime takes its bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self._path)
