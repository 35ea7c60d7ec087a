"""Reads the energy meters of this machine: RAPL counters of Intel and AMD, and NVIDIA cards through NVML.

A meter counts what all processes use. Meters are read before and after a measured call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Meter:
    """read: gives joules since some time. wrap_j: the value at which the counter starts again from 0."""

    name: str
    read: Callable[[], float]
    wrap_j: float | None = None


class Meters:
    """All meters that can be read. notes: why there are no meters of a kind."""

    def __init__(self, powercap: Path = _POWERCAP) -> None:
        self.notes: list[str] = []
        self._meters = [*self._rapl(powercap), *self._nvml()]

    def read(self) -> dict[str, float]:
        """Joules by meter; meters that no longer exist are left out."""
        found = {}
        for meter in self._meters:
            try:
                found[meter.name] = meter.read()
            except OSError:
                continue
        return found

    def spent(self, before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
        """Joules by meter between two readings."""
        wraps = {meter.name: meter.wrap_j for meter in self._meters}
        spent = {}
        for name in before.keys() & after.keys():
            joules = after[name] - before[name]
            spent[name] = joules + (wraps[name] or 0) if joules < 0 else joules
        return {name: joules for name, joules in spent.items() if joules >= 0}

    def _rapl(self, powercap: Path) -> list[Meter]:
        zones = sorted(powercap.glob("*-rapl:?")) if powercap.is_dir() else []
        meters, refused = [], False
        for zone in zones:
            try:
                name = (zone / "name").read_text().strip()
                wrap_j = int((zone / "max_energy_range_uj").read_text()) / 1e6
                meter = Meter(f"{name} ({zone.name})", _microjoules(zone / "energy_uj"), wrap_j)
                meter.read()
            except PermissionError:
                refused = True
            except (OSError, ValueError):
                continue
            else:
                meters.append(meter)
        if refused:
            self.notes.append(
                f"CPU energy not measured: no permission to read {powercap}/*/energy_uj (root has it)"
            )
        elif not meters:
            self.notes.append("CPU energy not measured: this machine shows no RAPL counters")
        return meters

    def _nvml(self) -> list[Meter]:
        """One meter for each card, if nvidia-ml-py and a driver are installed."""
        try:
            import pynvml
        except ImportError:
            return []
        try:
            pynvml.nvmlInit()
            cards = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
            meters = [Meter(f"GPU {i}", _millijoules(pynvml, card)) for i, card in enumerate(cards)]
            for meter in meters:
                meter.read()
        except pynvml.NVMLError_LibraryNotFound:  # no NVIDIA driver, so no NVIDIA card
            return []
        except pynvml.NVMLError as error:
            self.notes.append(f"GPU energy not measured: {error}")
            return []
        return meters


def _microjoules(path: Path) -> Callable[[], float]:
    return lambda: int(path.read_text()) / 1e6


def _millijoules(pynvml: Any, card: Any) -> Callable[[], float]:
    return lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(card) / 1e3
