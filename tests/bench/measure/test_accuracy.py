"""The accuracy of a config; `commands/test_run.py` has that of int8."""

from alrakis.bench.measure.accuracy import PartAccuracy, measure_accuracy


def test_fp32_follows_itself_exactly() -> None:
    text, coarse, fine, audio = measure_accuracy("synthetic-tiny", "cpu-fp32", {"threads": 1}, 0.1)
    for part in (text, coarse):
        assert part.positions > 0
        assert (part.top1, part.kl_mean, part.kl_max) == (1, 0, 0)
    assert fine.top1 == 1
    assert audio == PartAccuracy("audio", 0, log_mel_distance_db=0)
