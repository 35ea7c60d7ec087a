"""Opening ONNX Runtime sessions: threads, memory, providers, and what to say when one does not open."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from alrakis.config import Config
from alrakis.errors import ArtifactError, BackendError, ConfigError
from alrakis.export.contract import UNWANTED_FUSIONS, session_options
from alrakis.export.session import start_session
from alrakis.files.npy import map_npy
from alrakis.files.parsing import reason
from alrakis.files.printable import printable
from alrakis.progress import tell

try:
    import onnxruntime as ort
except ImportError as error:
    raise BackendError(
        f"the onnx backend needs ONNX Runtime: pip install 'alrakis[cpu]' ({error})"
    ) from error

CUDA = "CUDAExecutionProvider"
NEEDED_VERSION = (1, 22)  # MatMulNBits with 8 bits
INT8_CACHE_VERSION = (1, 32)  # GroupQueryAttention with an int8 KV cache, on a CPU

# newer releases have no wheels for Python 3.10
_UPGRADE = "pip install -U onnxruntime" + (
    ", with Python 3.11 or newer" if sys.version_info < (3, 11) else ""
)

Array = npt.NDArray[Any]


def settle_cache(config: Config) -> Config:
    """A config whose kv_cache is not "auto": int8 where this onnxruntime can; where not, that is told."""
    if config.kv_cache != "auto":
        return config
    able = _version() >= INT8_CACHE_VERSION
    if not able:
        tell(
            f"onnxruntime {ort.__version__} cannot keep the KV cache in 8 bits: it is in fp32, which takes "
            f"more time and memory; {'.'.join(map(str, INT8_CACHE_VERSION))} can: {_UPGRADE}"
        )
    return config.model_copy(update={"kv_cache": "int8" if able else "full"})


def check_version(kv_cache: str) -> None:
    """Raises BackendError when this onnxruntime lacks operators that a config's graphs use."""
    needed, what = NEEDED_VERSION, "8-bit MatMulNBits"
    if kv_cache == "int8":
        needed, what = INT8_CACHE_VERSION, "an int8 KV cache (kv_cache = 'full' does without)"
    if _version() < needed:
        raise BackendError(
            f"onnxruntime {ort.__version__} is too old: {needed[0]}.{needed[1]} or newer has {what}; "
            f"{_UPGRADE}"
        )


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in ort.__version__.split(".")[:2])


def pick_providers(device: str) -> list[Any]:
    """ONNX Runtime's execution providers for a config's device: a CPU. Raises ConfigError for another.

    Caches and tables are in main memory here: a GPU would have them over the bus at every step.
    """
    if device in ("auto", "cpu"):
        return ["CPUExecutionProvider"]
    raise ConfigError(
        f"device {device!r}: the onnx backend keeps its caches in main memory, and a GPU would wait for them "
        "at every step: use a config of the torch backend, as 'gpu-bf16' or 'gpu-fp16', or device = 'cpu'"
    )


def device_providers(device: str, index: int, stream: int) -> list[Any]:
    """The providers of a session beside torch, on torch's device: "cpu" or "cuda", a card, and its stream.

    Raises ConfigError where this onnxruntime has none for the device.
    """
    if device == "cpu":
        return pick_providers(device)
    has = ort.get_available_providers()
    if CUDA not in has:
        raise ConfigError(
            f"fine = 'onnx' on a GPU needs ONNX Runtime for NVIDIA GPUs, and this one has {', '.join(has)}: "
            "pip install 'alrakis[gpu]' in place of onnxruntime, leave fine out, or keep it on the CPU "
            '(cpu_parts = ["fine"])'
        )
    options = {
        "device_id": str(index),
        "user_compute_stream": str(stream),
        "use_tf32": "0",
        "arena_extend_strategy": "kSameAsRequested",  # torch takes from the same memory
    }
    return [(CUDA, options), "CPUExecutionProvider"]


def open_session(path: Path, threads: int, providers: list[Any]) -> ort.InferenceSession:
    """A session over a graph file. Raises ArtifactError when the file is damaged or cannot be run."""
    ort.disable_telemetry_events()
    options = session_options(threads)
    options.inter_op_num_threads = 1
    # threads that spin between runs would take the cores from the next session's
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # a plan of memory by shapes asks for one block, beside all that the arena holds from runs of other shapes
    options.enable_mem_pattern = False
    # nodes in the order they were written: the default leaves what a prefix graph puts out for last, in fp32
    options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
    try:
        return start_session(path, options, providers, UNWANTED_FUSIONS)
    except (BackendError, MemoryError):
        raise
    except Exception as error:  # onnxruntime's own classes, one for each of its status codes
        raise ArtifactError(
            f"{path} does not open in onnxruntime {ort.__version__}: {printable(error)}; remove its folder "
            "and it is exported again"
        ) from error


def only_what_is_asked(*, give_back: bool = False) -> ort.RunOptions:
    """Options for a run that may leave out outputs nobody asked for (onnxruntime 1.32 computes them even so).

    give_back: what this run and those before it needed is freed afterwards, but for memory of outputs that
    are not bound. Other runs leave it to the next in the session's arena, without page faults.
    """
    options = ort.RunOptions()
    options.only_execute_path_to_fetches = True
    if give_back:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def bind(binding: ort.IOBinding, name: str, array: Array, *, output: bool = False) -> None:
    """Bind an array's own memory; the caller keeps the array alive."""
    call = binding.bind_output if output else binding.bind_input
    call(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)


def load_table(folder: Path, name: str) -> npt.NDArray[np.float32]:
    """A table that `alrakis.export` wrote, mapped: only the rows that are used come into memory."""
    path = folder / f"{name}.npy"
    try:
        table: npt.NDArray[np.float32] = map_npy(path)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read: {reason(error)}") from None
    return table
