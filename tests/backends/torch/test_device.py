"""Choosing a device and a precision, and exact fp32."""

import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch

from alrakis.backends.torch.device import exact_fp32, pick_device, pick_dtype, running
from alrakis.errors import BackendError, ConfigError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make torch see a machine: so many CUDA devices, of a compute capability, and Apple's GPU or not."""

    def see(
        cuda: int = 0,
        capability: tuple[int, int] = (8, 0),
        mps: bool = False,
        macos: int = 15,
        built_for: tuple[str, ...] = ("sm_75", "sm_80", "sm_90"),
    ) -> None:
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: list(built_for))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: cuda - 1)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: "Tesla T4")
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda major, minor: macos >= major)

    monkeypatch.delenv("SUNO_ENABLE_MPS", raising=False)
    return see


def test_auto_takes_cuda_then_apples_gpu_when_enabled_then_the_cpu(
    machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine()
    assert pick_device("auto") == torch.device("cpu")
    machine(mps=True)
    assert pick_device("auto") == torch.device("cpu")
    monkeypatch.setenv("SUNO_ENABLE_MPS", "True")  # read when used
    assert pick_device("auto") == torch.device("mps")
    machine(cuda=2, mps=True)
    assert pick_device("auto") == torch.device("cuda", 1)  # the current one


def test_a_device_asked_for_is_given_or_an_error(machine: Callable[..., None]) -> None:
    machine(cuda=2, mps=True)
    for name in ("cpu", "mps", "cuda:0", "cuda:1"):
        assert pick_device(name) == torch.device(name)
    assert pick_device("cuda").index == 1
    with pytest.raises(ConfigError, match="'cuda:2': there are 2 CUDA devices"):
        pick_device("cuda:2")
    machine()
    with pytest.raises(ConfigError, match="no Apple GPU"):
        pick_device("mps")
    for name in ("cuda", "cuda:0"):
        with pytest.raises(ConfigError, match=rf"'{name}': torch .* sees no CUDA device; use 'auto'"):
            pick_device(name)


def test_bf16_is_refused_where_the_device_lacks_it(machine: Callable[..., None]) -> None:
    cpu, cuda, mps = torch.device("cpu"), torch.device("cuda:0"), torch.device("mps")
    for capability, has in [((7, 5), False), ((8, 0), True), ((9, 0), True)]:
        machine(cuda=1, capability=capability)
        assert pick_dtype("fp16", cuda) == torch.float16
        assert pick_dtype("fp32", cuda) == torch.float32
        if has:
            assert pick_dtype("bf16", cuda) == torch.bfloat16
        else:
            with pytest.raises(ConfigError, match="Tesla T4 has no bfloat16; use 'fp16' or 'fp32'"):
                pick_dtype("bf16", cuda)
    machine(mps=True, macos=13)
    with pytest.raises(ConfigError, match="from macOS 14 on"):
        pick_dtype("bf16", mps)
    assert pick_dtype("bf16", cpu) == torch.bfloat16


def test_a_card_that_torch_has_no_code_for_is_said_and_auto_takes_the_cpu(
    machine: Callable[..., None],
) -> None:
    machine(cuda=1, capability=(6, 1))
    assert pick_device("auto") == torch.device("cpu")
    for name in ("cuda", "cuda:0"):
        with pytest.raises(ConfigError, match=r"built for sm_75.*Tesla T4 is sm_61.*device 'cpu'"):
            pick_device(name)
    machine(cuda=1, capability=(8, 6))
    assert pick_device("auto") == torch.device("cuda", 0)


def switches() -> list[object]:
    if not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        return [torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32]
    owners = [getattr(torch.backends, name) for name in ("cudnn", "mkldnn")]
    values = [part.fp32_precision for owner in owners for part in (owner.conv, owner.rnn)]
    return [*values, torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision]


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_exact_fp32_holds_inside_and_leaves_the_callers_choice_as_it_was(precision: str) -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision(precision)
        outside = switches()
        with exact_fp32():
            assert set(switches()) <= {"none", "ieee", False}
        assert switches() == outside
        with pytest.raises(ZeroDivisionError):
            _fail_within(exact_fp32())
        assert switches() == outside
        assert torch.get_float32_matmul_precision() == precision
    finally:
        torch.set_float32_matmul_precision(before)


def _fail_within(context: AbstractContextManager[None]) -> None:
    with context:
        raise ZeroDivisionError


MEMORY = [
    (torch.cuda.OutOfMemoryError, "CUDA out of memory. Tried to allocate 20 GiB.\nmore"),
    (RuntimeError, "MPS backend out of memory (MPS allocated: 8 GB). Tried to allocate 20 GiB."),
]


class _Model:
    dtype = torch.float32
    device = torch.device("cpu")
    held: Callable[[], torch.Tensor | None]

    @running
    def compute(self, tensor: torch.Tensor) -> torch.Tensor:
        assert torch.is_inference_mode_enabled()
        return tensor * 2

    @running
    def exhaust(self, kind: type[RuntimeError], message: str) -> None:
        held = torch.ones(2)
        _Model.held = weakref.ref(held)
        raise kind(message)


def test_what_computes_keeps_no_graph_and_says_when_memory_ran_out() -> None:
    tracked = torch.ones(2, requires_grad=True)
    assert not _Model().compute(tracked).requires_grad
    for kind, message in MEMORY:
        with pytest.raises(BackendError, match=r"lower max_batch.*Tried to allocate 20 GiB\.\)$"):
            _Model().exhaust(kind, message)
        assert _Model.held() is None, "what the call held is free, and so can be had again"
    with pytest.raises(RuntimeError, match="shapes do not match"):
        _Model().exhaust(RuntimeError, "shapes do not match")
