"""The config that suits a machine: from what is installed, its GPU, and what the person says."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from alrakis import Config, auto
from alrakis.auto import LOW_GPU_MEMORY_BYTES, choose_config, resolve_config
from alrakis.config import load_config
from alrakis.errors import BackendError, ConfigError
from alrakis.hardware import GPU

Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Make this another machine: with these packages, an NVIDIA driver and GPU or not, or one of Apple's."""

    def be(
        *packages: str,
        driver: bool = False,
        cuda: tuple[int, int] | None = None,
        memory_bytes: int = LOW_GPU_MEMORY_BYTES,
        platform: str = "linux",
    ) -> None:
        monkeypatch.setattr(auto, "_installed", lambda package: package in packages)
        monkeypatch.setattr(auto, "_nvidia_driver", lambda: driver)
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda is not None)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: cuda)
        properties = SimpleNamespace(total_memory=memory_bytes)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)

    monkeypatch.delenv("SUNO_ENABLE_MPS", raising=False)
    return be


def chosen() -> str:
    name, reason = choose_config()
    assert load_config(name).name == name
    assert len(reason) > 10
    return name


def test_a_gpu_comes_first_and_its_memory_and_precision_decide(machine: Machine) -> None:
    both = "torch", "onnxruntime"
    machine(*both, driver=True, cuda=(8, 0))
    assert chosen() == "gpu-bf16"
    machine(*both, driver=True, cuda=(7, 5))
    assert chosen() == "gpu-fp16"
    assert "Tesla T4 has no bfloat16" in choose_config()[1]
    for capability in ((7, 5), (9, 0)):
        machine(*both, driver=True, cuda=capability, memory_bytes=LOW_GPU_MEMORY_BYTES - 1)
        assert chosen() == "gpu-lowmem"


def test_without_a_usable_gpu_what_is_installed_decides(machine: Machine) -> None:
    for driver in (False, True):  # a driver without a device that torch can use
        machine("torch", "onnxruntime", driver=driver)
        assert chosen() == "cpu-int8"
        machine("torch", driver=driver)
        assert chosen() == "torch-fp32"
    machine("onnxruntime", driver=True, cuda=(9, 0))
    assert chosen() == "cpu-int8", "no torch, no GPU"


def test_apples_gpu_is_taken_where_suno_s_variable_says_so(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("torch", "onnxruntime", platform="darwin")
    assert chosen() == "cpu-int8"
    monkeypatch.setenv("SUNO_ENABLE_MPS", "True")
    assert chosen() == "torch-fp32"
    machine("torch", "onnxruntime")
    assert chosen() == "cpu-int8", "only on a Mac"


def test_with_nothing_installed_it_says_what_to_install(machine: Machine) -> None:
    machine(driver=True)
    with pytest.raises(BackendError, match=r"alrakis\[cpu\].*alrakis\[gpu\]"):
        choose_config()


@pytest.mark.skipif(auto._nvidia_driver(), reason="with a driver, torch is asked for the GPU")
def test_without_a_driver_no_framework_is_imported() -> None:
    code = (
        "import sys; from alrakis.auto import choose_config; choose_config(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_auto_is_resolved_and_everything_else_is_loaded(machine: Machine, tmp_path: Path) -> None:
    machine("onnxruntime")
    assert resolve_config("auto", {}) == load_config("cpu-int8")
    assert resolve_config("auto", {"threads": 2}).threads == 2
    path = tmp_path / "auto.toml"
    path.write_text('backend = "torch"\nthreads = 3\n')
    assert resolve_config(path, {}).threads == 3
    assert resolve_config(Config(backend="torch"), {"max_batch": 2}).max_batch == 2
    with pytest.raises(ConfigError, match="did you mean 'auto'"):
        resolve_config("autoo", {})


@pytest.mark.parametrize(
    ("packages", "platform", "names", "said"),
    [
        (["torch", "onnxruntime"], "linux", [], "no GPU found; "),
        (
            ["torch", "onnxruntime"],
            "linux",
            ["AMD Radeon"],
            "AMD Radeon found, but this PyTorch",
        ),
        (["onnxruntime"], "linux", ["Intel GPU 0x56a0"], "Intel GPU 0x56a0 found, but it needs PyTorch"),
        (["torch"], "linux", ["AMD a", "AMD b"], "AMD a and AMD b found, but this PyTorch"),
        (["torch", "onnxruntime"], "darwin", ["Apple M2"], "SUNO_ENABLE_MPS=1 takes it"),
    ],
)
def test_the_reason_is_true_of_the_machine(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    packages: list[str],
    platform: str,
    names: list[str],
    said: str,
) -> None:
    machine(*packages, platform=platform)
    monkeypatch.setattr(auto.platform, "machine", lambda: "arm64" if platform == "darwin" else "x86_64")
    monkeypatch.setattr(auto, "gpus", lambda: [GPU(name, None, "") for name in names])
    assert said in choose_config()[1]


def test_amds_driver_is_enough_for_torch_to_be_asked(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("torch", cuda=(9, 4))
    monkeypatch.setattr(auto, "_amd_driver", lambda: True)
    assert chosen() == "gpu-bf16"
