"""The accuracy of a config; `commands/test_run.py` has that of int8."""

import pytest

from alrakis.bench.measure.accuracy import PartAccuracy, measure_accuracy


@pytest.mark.parametrize(("weights", "voice"), [("synthetic-tiny", None), ("demo", "demo/rms")])
def test_fp32_follows_itself_exactly(weights: str, voice: str | None) -> None:
    text, coarse, fine, audio = measure_accuracy(weights, "cpu-fp32", {"threads": 1}, 0.1, voice)
    for part in (text, coarse):
        assert part.positions > 0
        assert (part.top1, part.kl_mean, part.kl_max) == (1, 0, 0)
    assert fine.top1 == 1
    assert audio == PartAccuracy("audio", 0, log_mel_distance_db=0)


def test_what_windows_cost_is_in_the_coarse_stage_alone() -> None:
    windows = {"max_coarse_history": 310, "sliding_window_len": 30, "trades": "windows", "threads": 1}
    text, coarse, fine, _ = measure_accuracy("demo", "cpu-fp32", windows, 0.5, "demo/slt")
    assert (text.top1, text.kl_mean) == (1, 0)
    assert coarse.positions > 120  # of two sentences: the window has slid
    assert coarse.kl_mean is not None
    assert 0.001 < coarse.kl_mean < 1
    assert fine.top1 == 1


def test_what_fewer_frames_of_a_voice_cost_is_in_the_fine_stage() -> None:
    frames = {"fine_history_frames": 10, "trades": "frames", "threads": 1}
    _, coarse, fine, audio = measure_accuracy("demo", "cpu-fp32", frames, 0.5, "demo/slt")
    assert (coarse.top1, coarse.kl_mean) == (1, 0)
    assert fine.top1 is not None
    assert 0.2 < fine.top1 < 1
    assert audio.log_mel_distance_db
