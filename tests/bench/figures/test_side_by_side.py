"""Targets measured in turn."""

import pytest

from alrakis.bench.figures.side_by_side import Call, interleaved, median_ratio, running
from alrakis.bench.targets.process import Target
from alrakis.errors import BackendError


def test_each_target_is_called_once_in_a_round(capsys: pytest.CaptureFixture[str]) -> None:
    targets = [Target(name, name, "synthetic-tiny", 1) for name in ("cpu-fp32", "cpu-int8")]
    with running(targets) as processes:
        calls = interleaved(processes, 2, 0.2, None)
    assert [len(own) for own in calls] == [2, 2]
    assert all(call.rtf > 0 and call.peak_rss_bytes > 0 and not call.torch for own in calls for call in own)
    assert all(min(call.stages_s.values()) > 0 for own in calls for call in own)
    names = [line.split(":")[0].strip() for line in capsys.readouterr().err.splitlines() if "RTF" in line]
    assert names == ["cpu-fp32", "cpu-int8"] * 2


def test_a_target_that_fails_is_named() -> None:
    nowhere = Target("mine", "torch-fp32", "synthetic-tiny", 1, {"device": "cuda:99"})
    with pytest.raises(BackendError, match=r"mine: .*cuda:99"), running([nowhere]):
        pass


def test_ratios_are_taken_within_rounds() -> None:
    a, b = ([Call(rtf, {}, 0, False) for rtf in rtfs] for rtfs in ((2, 4, 9), (1, 2, 3)))
    assert median_ratio(a, b) == 2
