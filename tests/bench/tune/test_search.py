"""`alrakis-bench tune`: the search over a world of known speeds, and the program over real ones."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alrakis.bench.commands.tune import read_size, read_time
from alrakis.bench.tune.candidates import Candidate, list_candidates, thread_counts
from alrakis.bench.tune.config_file import config_toml
from alrakis.bench.tune.search import NO_TIME, Outcome, Search
from alrakis.bench.tune.trial import run_trial
from alrakis.config import Config, load_config, preset_names
from alrakis.errors import InputError
from alrakis.hardware import CPU
from tests.bench.programs import Bench

SECONDS = 4.0


class World:
    """Candidates of known speed and memory, and a clock that only trials move."""

    def __init__(self, budget_s: float, rtfs: list[float], peaks: list[int], gain: float = 1.0) -> None:
        self.candidates = [Candidate("cpu-fp32", (("threads", n + 1),)) for n in range(len(rtfs))]
        self.left_s = budget_s
        self.gain = gain  # in which share of the time each doubling of the batch does its work
        self.began_late = False
        self._rtfs, self._peaks = rtfs, peaks

    def time_left(self) -> float:
        return self.left_s

    def number(self, candidate: Candidate) -> int:
        return candidate.overrides["threads"] - 1

    def measure(self, candidate: Candidate, seconds: float, texts: int) -> Outcome:
        self.began_late |= self.left_s <= 0
        number = self.number(candidate)
        if math.isinf(self._rtfs[number]):
            return Outcome(None, problem="it crashed")
        rtf = self._rtfs[number] * self.gain ** math.log2(texts)
        took = rtf * seconds * texts
        if took > self.left_s:
            self.left_s = 0.0
            return Outcome(None, problem=NO_TIME)
        self.left_s -= took
        return Outcome(rtf, self._peaks[number])


def search_in(world: World, limit: int | None = None) -> Search:
    search = Search(world.candidates, world.measure, SECONDS, limit, world.time_left)
    search.run()
    return search


speeds = st.lists(st.floats(0.01, 20), min_size=1, max_size=20)


@given(speeds, st.integers(1, 10), st.randoms())
def test_with_time_enough_the_fastest_that_fits_is_found(
    rtfs: list[float], limit: int, random: st.DrawFn
) -> None:
    peaks = [random.randint(1, 10) for _ in rtfs]  # type: ignore[attr-defined]
    world = World(1e9, rtfs, peaks)
    best = search_in(world, limit).best
    fitting = [n for n in range(len(rtfs)) if peaks[n] <= limit]
    assert (best is None) == (not fitting)
    if best is not None:
        number = world.number(best.candidate)
        assert number in fitting
        assert rtfs[number] == min(rtfs[n] for n in fitting)
        assert (best.share, len(best.rtfs)) == (1.0, 3)


@given(speeds, st.floats(0, 500))
def test_the_budget_is_kept_and_what_is_found_was_measured(rtfs: list[float], budget_s: float) -> None:
    world = World(budget_s, rtfs, [1] * len(rtfs))
    search = search_in(world)
    assert not world.began_late
    for trials in search.trials:
        assert trials.rtfs or trials.problem == NO_TIME
    if search.best is None:
        assert all(trials.problem == NO_TIME for trials in search.trials)


def test_a_failure_is_a_row_and_the_search_goes_on() -> None:
    world = World(1e9, [math.inf, 2.0, math.inf, 1.0], [1] * 4)
    search = search_in(world)
    assert [trials.problem for trials in search.trials] == ["it crashed", "", "it crashed", ""]
    assert search.best
    assert search.best.rtf == 1.0


@pytest.mark.parametrize(("gain", "expected"), [(0.5, 16), (0.9, 16), (0.99, 1), (1.0, 1), (1.5, 1)])
def test_the_batch_grows_as_long_as_it_helps(gain: float, expected: int) -> None:
    assert search_in(World(1e9, [1.0], [1], gain)).max_batch == expected


def test_without_time_for_it_the_batch_stays_the_configs() -> None:
    world = World(SECONDS * 3, [1.0], [1])  # all rounds, and nothing more
    search = search_in(world)
    assert search.best
    assert search.max_batch is None


@pytest.mark.parametrize("gpu", [False, True])
@pytest.mark.parametrize("low_memory", [False, True])
def test_candidates_are_configs_that_say_what_they_trade(gpu: bool, low_memory: bool) -> None:
    every = list(list_candidates(exact=False, gpu=gpu, threads=[4, 2], low_memory=low_memory))
    exact = list(list_candidates(exact=True, gpu=gpu, threads=[4, 2], low_memory=low_memory))
    configs = [candidate.config() for candidate in every]
    assert len(set(every)) == len(every)
    assert {config.threads for config in configs} == {4, 2}
    assert {config.residency for config in configs} == ({"all", "one-stage"} if low_memory else {"all"})
    assert {config.fine_window for config in configs} == {"full", "fitted"}
    assert {config.backend for config in configs} == ({"torch"} if gpu else {"torch", "onnx"})
    assert exact
    assert set(exact) < set(every)
    assert all(candidate.config().exact for candidate in exact)
    for config in configs:
        if config.fine_window == "fitted":
            assert "138 tokens" in config.trades


def test_threads_worth_a_trial() -> None:
    assert thread_counts(1, 1) == [1]
    assert thread_counts(2, 2) == [2, 1]
    assert thread_counts(8, 16) == [8, 4, 16]


@pytest.mark.parametrize("preset", preset_names())
def test_the_file_is_the_config(preset: str, tmp_path: Path) -> None:
    candidate = Candidate(preset, (("threads", 3), ("residency", "one-stage")))
    search = Search([candidate], lambda *_: Outcome(1.0, 10**9), SECONDS, None, lambda: 1.0)
    search.run()
    assert search.best
    machine = CPU('AMD "EPYC" \\ \n\x1b', 4, 2, 2, ())
    file = tmp_path / "mine.toml"
    file.write_text(config_toml(search, search.best, "demo", SECONDS, machine, "2026-11-24"), "utf-8")
    written, wanted = load_config(file), candidate.changed(max_batch=search.max_batch).config()
    assert written.model_dump(exclude={"name", "summary"}) == wanted.model_dump(exclude={"name", "summary"})
    assert (written.name, written.summary) == ("mine", 'tuned for AMD "EPYC" \\   ')
    assert "4 s of audio: RTF 1, peak memory 1000 MB (the median of 3)" in file.read_text("utf-8")


def test_times_and_sizes() -> None:
    assert [read_time(text) for text in ("90", "90s", "1.5m", "1h")] == [90, 90, 90, 3600]
    assert [read_size(text) for text in ("800MB", "1.5 GB", "1GiB")] == [8e8, 1.5e9, 2**30]
    for text in ("", "5", "5 apples", "-1GB", "0MB", "nanGB"):
        with pytest.raises(InputError, match="size like"):
            read_size(text)
    for text in ("", "m", "-5m", "0", "5d", "nan"):
        with pytest.raises(InputError, match="time like"):
            read_time(text)


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


TINY = ["tune", "--weights", "synthetic-tiny", "--seconds", "0.4", "--config", "cpu-fp32", "-o", "mine.toml"]


def test_the_program_writes_a_config_that_alrakis_takes(tmp_path: Path, bench: Bench) -> None:
    ended = bench(*TINY, "--exact", "--budget", "60s")
    assert ended.code == 0, ended.err
    assert "the best" in ended.out
    config = load_config(tmp_path / "mine.toml")
    assert config.exact
    assert config.precision == "fp32"
    say = ["say", "Hello", "--weights", "synthetic-tiny", "--max-duration", "0.3", "-o", "hello.wav", "-q"]
    program = [
        sys.executable,
        "-c",
        "from alrakis.cli import main; main()",
        *say,
        "--config",
        "mine.toml",
    ]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "hello.wav").stat().st_size > 44


@pytest.mark.parametrize("measured", [True, False])
def test_ctrl_c_leaves_the_best_so_far_or_nothing(measured: bool, tmp_path: Path) -> None:
    program = [sys.executable, "-u", "-c", "from alrakis.bench.cli import main; main()", *TINY]
    environment = {**os.environ, "ALRAKIS_DEBUG": "0"}
    with subprocess.Popen(
        program, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        line = process.stderr.readline()
        assert "tries" in line
        for _ in range(2 if measured else 0):  # what is told of the second comes after the first is kept
            assert "RTF" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    file = tmp_path / "mine.toml"
    assert file.exists() == measured
    if measured:
        assert isinstance(load_config(file), Config)
        assert "the best" in out


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["--budget", "soon"], 2, "--budget takes a time"),
        (["--memory-limit", "much"], 2, "--memory-limit takes a size"),
        (["--seconds", "0"], 2, "--seconds is above 0"),
        (["--config", "cpu-int9"], 2, "did you mean 'cpu-int"),
        (["--config", "cpu-int8", "--exact"], 1, "no exact config to try"),
        (["--weights", "bark-tiny"], 2, "bark-tiny"),
        (["-o", "missing/mine.toml"], 1, "no folder"),
        (["--weights", "synthetic-tiny", "--budget", "0.01s"], 1, "budget (0.01s) was over"),
    ],
)
def test_what_cannot_be(arguments: list[str], code: int, why: str, bench: Bench, tmp_path: Path) -> None:
    ended = bench("tune", *arguments)
    assert ended.code == code, ended.err
    assert why in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.glob("**/*.toml"))
