"""Trials of real configs, and which of them share a worker."""

from typing import Any

import pytest

from alrakis.bench.targets.process import WARM_UP_S, TargetError
from alrakis.bench.tune import trial
from alrakis.bench.tune.candidates import Candidate
from alrakis.bench.tune.search import NO_TIME
from alrakis.bench.tune.trial import Workshop

FITTED = (("fine_window", "fitted"), ("trades", "frames behind the last"))


def test_a_trial_measures_and_the_next_goes_on_with_what_is_loaded() -> None:
    with Workshop("synthetic-tiny") as workshop:
        candidate = Candidate("cpu-fp32", (("threads", 1), ("max_batch", 2)))
        outcome = workshop.run(candidate, 0.3, 2, 600)
        assert outcome.problem == ""
        assert outcome.rtf
        assert outcome.rtf > 0
        assert outcome.peak_bytes
        assert outcome.peak_bytes > 50e6
        process = workshop._process
        fitted = Candidate("cpu-fp32", (*candidate.changes, *FITTED))
        quicker = workshop.run(fitted, 0.3, 2, 600)
        assert workshop._process is process
        assert quicker.rtf
        assert quicker.rtf < outcome.rtf  # 23 frames in a pass, not 1024
    assert workshop._process is None


def test_a_trial_that_goes_wrong_says_why() -> None:
    nowhere = Candidate("torch-fp32", (("device", "cuda:99"),))
    with Workshop("synthetic-tiny") as workshop:
        assert "cuda:99" in workshop.run(nowhere, 0.3, 1, 600).problem
        assert workshop.run(nowhere, 0.3, 1, 0.0).problem == NO_TIME


def test_what_is_prepared_is_tried_as_it_is_loaded() -> None:
    """Files that have to be made first may take longer than a short search has."""
    candidate, nowhere = Candidate("cpu-fp32"), Candidate("torch-fp32", (("device", "cuda:99"),))
    with Workshop("synthetic-tiny") as workshop:
        workshop.prepare(nowhere)
        assert workshop._process is None
        assert "cuda:99" in workshop.run(nowhere, 0.3, 1, 600).problem
        workshop.prepare(candidate)
        process = workshop._process
        assert process
        assert workshop.run(candidate, 0.3, 1, 600).rtf
        assert workshop._process is process


class Worker:
    """A worker on a GPU or not, which keeps what it is asked."""

    made: list["Worker"]
    bandwidth: float | None = None

    def __init__(self, target: Any) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.closed = False
        Worker.made.append(self)

    def ask(self, do: str, **given: Any) -> dict[str, Any]:
        self.asked.append((do, given["seconds"]) if do == "run" else (do,))
        if do == "load":
            return {"gpu_bandwidth": Worker.bandwidth}
        if given.get("seconds") == 13:
            raise TargetError("it crashed", alive=False)
        on_gpu = None if Worker.bandwidth is None else 22
        return {"wall_s": 1.0, "audio_s": 4.0, "peak_rss_bytes": 11, "peak_gpu_bytes": on_gpu}

    def kill(self) -> None: ...

    def close(self, *, at_once: bool = False) -> None:
        self.closed = True


@pytest.mark.parametrize(("bandwidth", "warm_up_s", "peak"), [(None, WARM_UP_S, 11), (3e12, 2.0, 22)])
def test_loading_is_not_timed_and_done_once_for_those_that_need_the_same(
    bandwidth: float | None, warm_up_s: float, peak: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card is stood in for: what it records when a config is loaded, and warms up at full length."""
    Worker.made, Worker.bandwidth = [], bandwidth
    monkeypatch.setattr(trial, "Process", Worker)
    plain, other = Candidate("gpu-bf16"), Candidate("gpu-fp16")
    with Workshop("bark") as workshop:
        for candidate in (plain, plain.changed(**dict(FITTED)), plain, other):
            assert workshop.run(candidate, 2.0, 1, 60).peak_bytes == peak
        assert workshop.run(other, 13.0, 1, 60).problem == "it crashed"
        workshop.run(other, 2.0, 1, 60)
    runs = [("run", warm_up_s), ("run", 2.0)]
    first, second, third = Worker.made
    assert first.asked == [("load",), *runs, ("go_on",), *runs, ("go_on",), *runs]
    fails = [("run", WARM_UP_S), ("run", 13.0)] if bandwidth is None else [("run", 13.0)]
    assert second.asked == [("load",), *runs, *fails]
    assert third.asked == [("load",), *runs]
    assert all(worker.closed for worker in Worker.made)
