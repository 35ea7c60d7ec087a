"""What is read off a machine: from texts as systems write them, and from the machine the tests run on."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from alrakis import hardware
from alrakis.hardware import (
    GPU,
    cpu,
    drm_gpus,
    gpus,
    memory,
    not_built_for,
    parse_cpuinfo,
    parse_nvidia_smi,
    sums_halves_in_fp32,
    usable_cores,
)

XEON = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz
flags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512_vnni avx512_bf16 amx_bf16 amx_tile amx_int8

processor\t: 1
model name\t: another
flags\t\t: fpu
"""
GRAVITON = """\
processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd aes asimddp sve i8mm bf16
CPU implementer\t: 0x41
"""


def test_cpuinfo() -> None:
    assert parse_cpuinfo(XEON) == (
        "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
        ("AVX2", "AVX-512", "AVX-512 VNNI", "AVX-512 BF16", "AMX INT8", "AMX BF16"),
    )
    assert parse_cpuinfo(GRAVITON) == ("", ("NEON", "DotProd", "I8MM", "BF16", "SVE"))
    assert parse_cpuinfo("") == ("", ())
    assert parse_cpuinfo("flags\t: myavx2 avx2x\n") == ("", ()), "flags are whole words"


def test_this_machine() -> None:
    assert cpu().logical_cores == os.cpu_count()
    assert 1 <= cpu().usable_cores <= cpu().physical_cores <= cpu().logical_cores
    assert cpu().physical_cores == (psutil.cpu_count(logical=False) or cpu().logical_cores)
    assert memory().total_bytes <= psutil.virtual_memory().total
    available = memory().available_bytes
    assert available is None or 0 < available <= memory().total_bytes


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_usable_cores_follow_the_affinity() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"/sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"/sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({"/sys/fs/cgroup/cpu.max": "10000 100000\n"}, 1),
        (
            {
                f"/sys/devices/system/cpu/cpu{i}/topology/thread_siblings_list": f"{i % 4},{i % 4 + 4}"
                for i in range(8)
            },
            4,
        ),
    ],
    ids=["plain", "no limit", "quota", "small quota", "two threads a core"],
)
def test_usable_cores(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int) -> None:
    monkeypatch.setattr(hardware, "_read", lambda path: files.get(path, ""))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert usable_cores() == cores


def test_a_container_limits_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/meminfo": "MemTotal: 1 kB\nMemAvailable:    2000000 kB\n",
        "/sys/fs/cgroup/memory.max": "1000000000\n",
        "/sys/fs/cgroup/memory.current": "400000000\n",
    }
    monkeypatch.setattr(hardware, "_read", lambda path: files.get(path, ""))
    monkeypatch.setattr(hardware, "_installed_bytes", lambda: 8_000_000_000)
    assert (memory().total_bytes, memory().available_bytes) == (1_000_000_000, 600_000_000)
    files["/sys/fs/cgroup/memory.max"] = "max\n"
    assert (memory().total_bytes, memory().available_bytes) == (8_000_000_000, 2_048_000_000)


def test_nvidia_smi_lines() -> None:
    text = "NVIDIA A100-SXM4-80GB, 81920, 550.54.15\nTesla T4, [N/A], 470.1\n\nnonsense\n"
    assert parse_nvidia_smi(text) == [
        GPU("NVIDIA A100-SXM4-80GB", 81920 * 2**20, "550.54.15"),
        GPU("Tesla T4", None, "470.1"),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in for nvidia-smi is a shell script")
@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo 'Tesla T4, 15360, 535.1'", [GPU("Tesla T4", 15360 * 2**20, "535.1")]),
        ("echo 'no driver is running'; exit 9", []),
        ("printf '\\377'", []),
    ],
)
def test_nvidia_smi_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, found: list[GPU]
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert gpus() == found


def card(root: Path, name: str, **files: str) -> None:
    (root / name / "device").mkdir(parents=True)
    for file, text in files.items():
        (root / name / "device" / file).write_text(f"{text}\n")


def test_gpus_of_other_makers_are_found(tmp_path: Path) -> None:
    assert drm_gpus(tmp_path / "nowhere") == []
    amd = {
        "vendor": "0x1002",
        "device": "0x744c",
        "uevent": "DRIVER=amdgpu\nPCI_ID=1",
        "product_name": "Radeon PRO",
    }
    card(tmp_path, "card0", **amd, mem_info_vram_total=str(24 * 2**30))
    card(tmp_path, "card0-DP-1", vendor="0x1002")
    card(tmp_path, "card1", vendor="0x8086", device="0x56a0", uevent="DRIVER=i915")
    card(tmp_path, "card2", vendor="0x1234", device="0x1111", uevent="DRIVER=bochs-drm")
    card(tmp_path, "card3", vendor="0x10de", device="0x2684")
    assert drm_gpus(tmp_path) == [
        GPU("AMD Radeon PRO", 24 * 2**30, "amdgpu"),
        GPU("Intel GPU 0x56a0", None, "i915"),
        GPU("NVIDIA GPU 0x2684", None, ""),
    ]


@pytest.mark.parametrize(
    ("own", "built_for", "runs"),
    [
        ("sm_86", ["sm_80", "sm_90"], True),  # of one generation, from its first on
        ("sm_80", ["sm_86"], False),
        ("sm_70", ["sm_75", "sm_80"], False),
        ("sm_120", ["sm_90", "compute_90"], True),  # the driver compiles
        ("sm_90", ["sm_90a"], False),
        ("sm_75", [], True),  # nothing is known
        ("gfx90a", ["gfx90a", "gfx1100"], True),
        ("gfx1030", ["gfx90a", "gfx1100"], False),
    ],
)
def test_what_a_build_of_torch_has_code_for(own: str, built_for: list[str], runs: bool) -> None:
    told = not_built_for("the card", own, built_for)
    assert (told == "") is runs
    if not runs:
        assert f"the card is {own}" in told


@pytest.mark.parametrize(("exact", "fails"), [(True, False), (False, False), (True, True)])
def test_a_gpu_that_adds_up_halves_in_halves_is_found_out(exact: bool, fails: bool) -> None:
    class Ones:
        """Matrices of ones whose products are added up in float32 or in float16."""

        def __init__(self, size: tuple[int, int], **named: Any) -> None:
            assert named == {"dtype": np.float16, "device": "mps"}
            if fails:
                raise RuntimeError("not implemented for MPS")

        def __matmul__(self, other: Any) -> Any:
            total = np.zeros((8, 8), np.float32 if exact else np.float16)
            for _ in range(4096):
                total += 1
            return total

    torch = SimpleNamespace(ones=Ones, float16=np.float16)
    assert sums_halves_in_fp32(torch, "mps") is (exact and not fails)
