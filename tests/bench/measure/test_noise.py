"""How steady the machine is."""

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from alrakis.bench.measure.noise import Calibration, OtherWork


def test_a_product_takes_time() -> None:
    calibration = Calibration()
    assert calibration.take() > 0


def test_one_product_that_is_late_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    calibration = Calibration()
    took = itertools.chain([0.0], itertools.cycle([2.0, 2.0, 90.0, 2.0]))
    ends = itertools.accumulate(took)
    monkeypatch.setattr(time, "perf_counter", lambda: next(ends))
    assert calibration.take() == 2.0


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="this system does not count")
def test_work_of_others_is_seen_and_that_of_the_measured_is_not() -> None:
    busy = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(busy) as other:
        try:
            watched, unwatched = OtherWork(other.pid), OtherWork(os.getpid())
            while psutil.Process(other.pid).cpu_times().user < 0.5:
                time.sleep(0.05)
            own, with_it = watched.taken(), unwatched.taken()
        finally:
            other.kill()
    assert own is not None
    assert with_it is not None
    assert with_it > own


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    assert OtherWork(os.getpid(), tmp_path / "stat").taken() is None
    (tmp_path / "stat").write_text("cpu  1 2")
    assert OtherWork(os.getpid(), tmp_path / "stat").taken() is None
