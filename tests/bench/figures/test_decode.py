"""The figures of a decode step."""

import pytest

from alrakis.bench.figures import decode
from alrakis.bench.figures.decode import DecodeFigures, measure_decode
from alrakis.errors import InputError


def test_steps_are_timed_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "ROUNDS", 2)
    figures = measure_decode("synthetic-tiny", "cpu-fp32", 1)
    assert set(figures.step_s) == {1, 4}
    assert min(figures.step_s.values()) > 0
    assert figures.step_bytes > 0
    assert figures.bandwidth > 1e8


def test_share_and_gain() -> None:
    figures = DecodeFigures({1: 0.01, 4: 0.02}, step_bytes=10**8, bandwidth=2e10)
    assert (figures.share, figures.gain(4)) == (0.5, 2)


def test_only_the_onnx_backend_is_measured() -> None:
    with pytest.raises(InputError, match="decode figures are of the onnx backend"):
        measure_decode("synthetic-tiny", "torch-fp32", 1)
