"""Trials of real configs."""

from alrakis.bench.tune.candidates import Candidate
from alrakis.bench.tune.search import NO_TIME
from alrakis.bench.tune.trial import run_trial


def test_a_trial_measures() -> None:
    candidate = Candidate("cpu-fp32", (("threads", 1), ("max_batch", 2)))
    outcome = run_trial(candidate, "synthetic-tiny", 0.3, 2, 600)
    assert outcome.problem == ""
    assert outcome.rtf
    assert outcome.rtf > 0
    assert outcome.peak_bytes
    assert outcome.peak_bytes > 50e6


def test_a_trial_that_goes_wrong_says_why() -> None:
    nowhere = Candidate("torch-fp32", (("device", "cuda:99"),))
    assert "cuda:99" in run_trial(nowhere, "synthetic-tiny", 0.3, 1, 600).problem
    assert run_trial(nowhere, "synthetic-tiny", 0.3, 1, 0.0).problem == NO_TIME
