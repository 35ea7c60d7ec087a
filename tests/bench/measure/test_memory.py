"""Peaks of memory: of this process, and of a GPU whose counters are stood in for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from alrakis.bench.measure.memory import gpu_bandwidth, peak_gpu_bytes, peak_rss_bytes, reset_peaks


def test_a_peak_is_kept_until_it_is_reset() -> None:
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("this system cannot reset a peak")
    reset_peaks()
    before = peak_rss_bytes()
    np.ones(25_000_000)  # 200 MB, freed at once
    high = peak_rss_bytes()
    assert high > before + 150e6
    reset_peaks()
    assert peak_rss_bytes() < high - 100e6


def test_no_gpu_has_no_figure() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert peak_gpu_bytes() is None


class Cards:
    """Two GPUs of which the second is in use; what torch allocates there is on the CPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.held, self.peaks = [7, 300], [7, 500]
        self.current: list[int] = []
        self.copies = self.emptied = 0
        for name, value in {
            "is_available": lambda: True,
            "is_initialized": lambda: True,
            "device_count": lambda: 2,
            "memory_reserved": self.held.__getitem__,
            "max_memory_reserved": self.peaks.__getitem__,
            "reset_peak_memory_stats": lambda card: self.peaks.__setitem__(card, 20 + card),
            "device": self.use,
            "Event": lambda enable_timing: self,
            "synchronize": lambda: None,
            "empty_cache": self.empty,
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)
        empty = torch.empty
        monkeypatch.setattr(torch, "empty", lambda size, dtype, device: empty(1000, dtype=dtype))

    @contextmanager
    def use(self, card: int) -> Iterator[None]:
        self.current.append(card)
        yield
        self.current.pop()

    def record(self) -> None:
        assert self.current == [1]

    def elapsed_time(self, other: object) -> float:
        return 4.0

    def empty(self) -> None:
        assert self.current == [1]
        self.emptied += 1


def test_the_gpu_in_use_has_the_peak_since_it_was_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = Cards(monkeypatch)
    assert peak_gpu_bytes() == 500
    reset_peaks()
    assert peak_gpu_bytes() == 21
    assert cards.peaks == [20, 21]


def test_bandwidth_is_that_of_the_gpu_in_use_and_leaves_nothing_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cards = Cards(monkeypatch)
    assert gpu_bandwidth() == 2 * 10 * 1000 / 0.004
    assert cards.emptied == 1


def test_without_a_gpu_there_is_no_bandwidth_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert gpu_bandwidth() is None
