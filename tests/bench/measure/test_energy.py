"""Energy meters: counters as the system lays them out, and what is said where none can be read."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest

from alrakis.bench.measure.energy import Meters


def zone(folder: Path, name: str, microjoules: int) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "name").write_text("package-0\n")
    (folder / name / "max_energy_range_uj").write_text("1000000000\n")
    (folder / name / "energy_uj").write_text(f"{microjoules}\n")
    return folder / name / "energy_uj"


def test_joules_between_two_readings(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", 5_000_000)
    meters = Meters(tmp_path)
    before = meters.read()
    counter.write_text("7500000\n")
    assert meters.spent(before, meters.read()) == {"package-0 (intel-rapl:0)": 2.5}


def test_a_counter_that_starts_again_at_0(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", 999_000_000)
    meters = Meters(tmp_path)
    before = meters.read()
    counter.write_text("1000000\n")
    assert meters.spent(before, meters.read()) == {"package-0 (intel-rapl:0)": 2.0}


def test_a_machine_without_counters_says_so(tmp_path: Path) -> None:
    meters = Meters(tmp_path)
    assert "CPU energy not measured: this machine shows no RAPL counters" in meters.notes
    assert meters.spent(meters.read(), meters.read()) == {}


def test_a_counter_that_is_gone_is_left_out(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", 1)
    meters = Meters(tmp_path)
    before = meters.read()
    counter.unlink()
    assert meters.spent(before, meters.read()) == {}


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything: for a while, be somebody who may not."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_counter_that_may_not_be_read_is_told() -> None:
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # pytest's own folders are closed to others
        zone(Path(folder), "intel-rapl:0", 1).chmod(0)
        with as_nobody():
            meters = Meters(Path(folder))
            spent = meters.spent(meters.read(), meters.read())
    assert spent == {}
    assert [note for note in meters.notes if note.startswith("CPU")] == [
        f"CPU energy not measured: no permission to read {folder}/*/energy_uj (root has it)"
    ]


class Driver(ModuleType):
    """NVML as nvidia-ml-py has it, for a machine with cards that count: joules by card."""

    NVMLError = type("NVMLError", (Exception,), {})
    NVMLError_LibraryNotFound = type("NVMLError_LibraryNotFound", (NVMLError,), {})

    def __init__(self, *joules: float, problem: Exception | None = None) -> None:
        super().__init__("pynvml")
        self.joules, self.problem = list(joules), problem

    def nvmlInit(self) -> None:  # noqa: N802
        if self.problem:
            raise self.problem

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.joules)

    def nvmlDeviceGetHandleByIndex(self, card: int) -> int:  # noqa: N802
        return card

    def nvmlDeviceGetTotalEnergyConsumption(self, card: int) -> int:  # noqa: N802
        return int(self.joules[card] * 1000)


def test_cards_are_read_in_joules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(10, 100)
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    meters = Meters(tmp_path)
    before = meters.read()
    driver.joules = [12.5, 100]
    assert meters.spent(before, meters.read()) == {"GPU 0": 2.5, "GPU 1": 0}


def test_no_driver_is_no_card_and_a_broken_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Driver(1, problem=Driver.NVMLError_LibraryNotFound("none")))
    assert not [note for note in Meters(tmp_path).notes if "GPU" in note]
    monkeypatch.setitem(sys.modules, "pynvml", Driver(1, problem=Driver.NVMLError("not supported")))
    assert "GPU energy not measured: not supported" in Meters(tmp_path).notes
