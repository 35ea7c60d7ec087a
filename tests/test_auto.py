"""The config that suits a machine: from what is installed, its GPU, and what the person says."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from alrakis import Config, auto
from alrakis.auto import choose_config, gpu_bytes, resolve_config
from alrakis.config import load_config
from alrakis.errors import BackendError, ConfigError
from alrakis.evidence.fastest import Row
from alrakis.evidence.kinds import kind_of
from alrakis.evidence.tuned import Tuned, forget_tuned, save_tuned
from alrakis.hardware import GPU, cpu
from alrakis.version import __version__

Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Make this another machine: with these packages, an NVIDIA driver and GPU or not, or one of Apple's."""

    def be(
        *packages: str,
        driver: bool = False,
        cuda: tuple[int, int] | None = None,
        free_gib: float = 40.0,
        built_for: tuple[str, ...] = ("sm_50", "sm_75", "sm_80", "sm_90"),
        hip: str | None = None,
        platform: str = "linux",
    ) -> None:
        monkeypatch.setattr(auto, "_installed", lambda package: package in packages)
        monkeypatch.setattr(auto, "_nvidia_driver", lambda: driver)
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda is not None)
        cards = [("the other card", (3, 0), 0.1), ("Tesla T4", cuda, free_gib)]
        for name, values in [
            ("get_device_name", [card[0] for card in cards]),
            ("get_device_capability", [card[1] for card in cards]),
            ("mem_get_info", [(int(card[2] * 2**30), 80 * 2**30) for card in cards]),
            ("get_device_properties", [SimpleNamespace(gcnArchName="gfx90a:sramecc+")] * 2),
        ]:
            monkeypatch.setattr(torch.cuda, name, values.__getitem__)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)  # the one that will be used is asked
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: list(built_for))
        monkeypatch.setattr(torch.version, "hip", hip)

    monkeypatch.delenv("SUNO_ENABLE_MPS", raising=False)
    return be


def chosen(weights: str = "bark") -> str:
    name, reason = choose_config(weights)
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
        machine(*both, driver=True, cuda=capability, free_gib=3.5)
        assert chosen() == "gpu-lowmem"
        assert chosen("bark-small") in ("gpu-fp16", "gpu-bf16")


def test_what_a_config_needs_is_counted() -> None:
    """A card of 8 GB takes 16 texts at once in bf16, one of 6 GB takes 8 in fp16; small takes a third."""
    needs = {
        (preset, size): gpu_bytes(load_config(preset), size) / 1e9
        for preset in ("gpu-bf16", "gpu-fp16", "gpu-lowmem")
        for size in ("small", "large")
    }
    assert 5.5 < needs["gpu-bf16", "large"] < 7.5
    assert 4.0 < needs["gpu-fp16", "large"] < 5.5
    assert needs["gpu-lowmem", "large"] < 2.0
    assert needs["gpu-fp16", "small"] < 2.5
    with_fp32 = gpu_bytes(load_config("gpu-fp16", {"precision": "fp32"}), "large") / 1e9
    assert with_fp32 > 1.7 * needs["gpu-fp16", "large"] - 1


def test_a_card_of_6_gb_is_not_a_small_one(machine: Machine) -> None:
    machine("torch", driver=True, cuda=(8, 6), free_gib=5.4)
    assert chosen() == "gpu-fp16"


def test_a_card_that_torch_has_no_code_for_is_said(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "gpus", lambda: [GPU("Tesla P4", None, "")])
    machine("torch", "onnxruntime", driver=True, cuda=(6, 1), built_for=("sm_75", "sm_90"))
    assert chosen() == "cpu-int8"
    assert "built for sm_75, sm_90, and Tesla T4 is sm_61" in choose_config()[1]


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
    for there, sums, expected in (
        (False, True, "cpu-int8"),
        (True, False, "torch-fp32"),
        (True, True, "gpu-fp16"),
    ):
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda there=there: there)
        monkeypatch.setattr(auto, "sums_halves_in_fp32", lambda torch, device, sums=sums: sums)
        assert chosen() == expected
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
    machine("torch", cuda=(9, 4), hip="6.4", built_for=("gfx90a", "gfx1100"))
    monkeypatch.setattr(auto, "_amd_driver", lambda: True)
    assert chosen() == "gpu-bf16"
    machine("torch", cuda=(9, 4), hip="6.4", built_for=("gfx1100",))
    assert chosen() == "torch-fp32"
    monkeypatch.setattr(auto, "gpus", lambda: [GPU("AMD Instinct", None, "")])
    machine("torch")
    assert chosen() == "torch-fp32"
    assert (
        "AMD Instinct found, but this PyTorch cannot use it: AMD's GPUs need PyTorch's build for ROCm"
        in (choose_config()[1])
    )


# On a CPU: what was measured on its kind, or on this machine.


def row(config: str, rtf: float) -> Row:
    known = {"kind": kind_of(cpu().features), "work": "13 s of speech", "machine": "one", "measured": "2026"}
    return Row(config=config, rtf=rtf, **known)


def test_on_a_cpu_the_fastest_close_to_fp32_is_taken(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row("cpu-fp32", 1.5), row("cpu-int8", 2.0)]
    monkeypatch.setattr(auto, "fastest", lambda kind, among: [one for one in rows if one.config in among])
    machine("torch", "onnxruntime")
    assert chosen() == "cpu-fp32"
    said = f"on {kind_of(cpu().features)}: RTF 1.50, cpu-int8 2.00 (13 s of speech, on one, 2026)"
    assert said in choose_config()[1]
    rows = [row("torch-fp32", 1.0), row("cpu-int8", 2.0)]
    assert chosen() == "torch-fp32"
    machine("onnxruntime")
    assert chosen() == "cpu-int8", "no torch"
    rows = []
    assert "nothing was measured on" in choose_config()[1]


def tuned(**changes: Any) -> Tuned:
    values: dict[str, Any] = {
        "processor": cpu().model,
        "usable_cores": cpu().usable_cores,
        "gpu": "",
        "preset": "cpu-fp32",
        "changes": {"threads": 1},
        "goal": "latency",
        "rtf": 1.0,
        "work": "2 s",
        "day": "2026-11-26",
        "alrakis": __version__,
    }
    return Tuned(**{**values, **changes})


@pytest.mark.usefixtures("cache")
def test_what_was_tuned_on_this_machine_is_used_until_it_is_forgotten(machine: Machine) -> None:
    machine("torch", "onnxruntime")
    save_tuned(tuned())
    assert chosen() == "cpu-fp32"
    assert "tune --forget" in choose_config()[1]
    assert resolve_config("auto", {}).threads == 1
    assert resolve_config("auto", {"threads": 3}).threads == 3, "what is said counts more"
    assert resolve_config("cpu-fp32", {}).threads is None, "only auto is changed"
    forget_tuned()
    assert chosen() == "cpu-int8"


@pytest.mark.usefixtures("cache")
def test_what_was_tuned_on_a_cpu_says_nothing_of_a_gpu(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("torch", "onnxruntime", driver=True, cuda=(8, 0))
    monkeypatch.setattr("alrakis.evidence.tuned.gpus", lambda: [GPU("Tesla T4", None, "")])
    save_tuned(tuned())
    assert chosen() == "gpu-bf16"
    save_tuned(tuned(gpu="Tesla T4", preset="gpu-fp16", changes={}))
    assert chosen() == "gpu-fp16"
    machine("onnxruntime")
    assert chosen() == "cpu-int8", "no torch for what was tuned"
