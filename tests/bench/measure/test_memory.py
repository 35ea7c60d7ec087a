"""Peaks of memory: of this process, and of a GPU whose counters are stood in for."""

import os

import numpy as np
import pytest
import torch

from alrakis.bench.measure.memory import peak_gpu_bytes, peak_rss_bytes, reset_peaks


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


def test_a_gpu_has_the_peak_since_it_was_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    peak = [500]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda card: peak[card])
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda card: peak.__setitem__(card, 20))
    assert peak_gpu_bytes() == 500
    reset_peaks()
    assert peak_gpu_bytes() == 20
