"""`alrakis info`: what was found here, for people and for programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import alrakis
from alrakis.cli.info import info_lines
from alrakis.config import preset_names
from tests.cli.programs import Run


def test_info(run: Run, monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    checkpoint = here / "suno" / "bark_v0" / "text.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(bytes(3 * 2**20))
    monkeypatch.setenv("XDG_CACHE_HOME", str(here))
    info = json.loads(run("info", "--json").out)
    assert info["alrakis"] == alrakis.__version__
    assert info["backends"]["torch"]["version"].startswith("2.")
    assert "CPUExecutionProvider" in info["backends"]["onnxruntime"]["providers"]
    assert info["hardware"]["cpu"]["physical_cores"] >= 1
    assert [preset["name"] for preset in info["presets"]] == preset_names()
    assert all(preset["exact"] or preset["trades"] for preset in info["presets"])
    assert info["auto"]["reason"]
    sizes = {cache["path"]: cache["size_bytes"] for cache in info["caches"]}
    assert sizes[str(checkpoint.parent)] == 3 * 2**20
    where = {weights["name"]: weights["where"] for weights in info["weights"]}
    assert str(checkpoint.parent) in where["bark-small"]
    assert "coarse.pt" in where["bark-small"]
    assert where["demo"] == "inside the package"
    text = run("info").out
    for part in (
        f"alrakis {alrakis.__version__}",
        "3.0 MiB",
        "torch-fp32 (exact)",
        "config that `auto` picks",
    ):
        assert part in text
    assert all(len(line) <= 110 for line in text.splitlines() if str(here) not in line)


CPU = {
    "model": "A CPU",
    "physical_cores": 4,
    "logical_cores": 8,
    "usable_cores": 2,
    "features": ["AVX2", "BF16"],
}
EMPTY: dict[str, Any] = {
    "alrakis": "1.2.3",
    "python": "3.11.0",
    "platform": "somewhere",
    "environment": {},
    "hardware": {"cpu": CPU, "memory": {"total_bytes": 2**34, "available_bytes": None}, "gpus": []},
    "backends": {"torch": None, "onnxruntime": None},
    "weights": [{"name": "demo", "where": "inside the package"}],
    "caches": [{"what": "a cache", "path": "/c", "size_bytes": 0}],
    "artifacts": [],
    "auto": {"name": None, "reason": "nothing is installed"},
    "presets": [{"name": "p", "exact": False, "summary": "For tests", "trades": "much"}],
}


def test_a_machine_with_nothing_says_what_to_install() -> None:
    text = "\n".join(info_lines(EMPTY))
    for part in (
        "CPU     A CPU: 4 cores, 8 threads, 2 of the cores usable here; AVX2, BF16",
        "memory  16.0 GiB\n",
        "GPU     none found",
        "torch        not installed (`pip install 'alrakis[torch]'`)",
        "onnxruntime  not installed (`pip install 'alrakis[cpu]'`)",
        "empty  /c (a cache)",
        "none  nothing is installed",
        "p  For tests. Trades: much",
    ):
        assert part in text
    assert "environment" not in text
    assert "exported artifacts" not in text


def test_what_there_is_is_shown() -> None:
    gpu = {"name": "Tesla T4", "memory_bytes": 15 * 2**30, "driver": "535.1"}
    providers = ["CUDAExecutionProvider", "CPU"]
    onnxruntime = {"packages": {"onnxruntime": "1.32"}, "providers": providers, "problem": None}
    onnxruntime["lone_rows"] = {"fp32": 1, "int8": 1, "int4": 2}
    artifact = {
        "part": "text", "precision": "int8", "weights": "demo", "folder": "/f", "size_bytes": 5 * 2**20,
        "lines": ["text (int8)", "top-1 agreement 99.0%"],
    }  # fmt: skip
    info = {
        **EMPTY,
        "environment": {"SUNO_OFFLOAD_CPU": "1"},
        "hardware": {
            **EMPTY["hardware"],
            "gpus": [gpu],
            "memory": {"total_bytes": 2**30, "available_bytes": 512},
        },
        "backends": {"torch": {"version": "2.9", "accelerate": "1.1"}, "onnxruntime": onnxruntime},
        "artifacts": [artifact],
    }
    text = "\n".join(info_lines(info))
    for part in (
        "GPU     Tesla T4, 15.0 GiB, driver 535.1",
        "memory  1.0 GiB, 512 B available",
        "torch        2.9, accelerate 1.1",
        "onnxruntime  onnxruntime 1.32: CUDAExecutionProvider, CPU",
        "beside torch it runs the fine model on NVIDIA GPUs and the CPU",
        "a lone sequence gets the same numbers as one in company: fp32,",
        "int8 by itself; int4 by running it as two rows",
        "text int8  demo, 5.0 MiB, /f",
        "top-1 agreement 99.0%",
        "SUNO_OFFLOAD_CPU  1",
    ):
        assert part in text
    broken = {**onnxruntime, "providers": [], "problem": "installed, but broken", "lone_rows": None}
    info["backends"] = {"torch": None, "onnxruntime": broken}
    assert "onnxruntime 1.32: installed, but broken" in "\n".join(info_lines(info))


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=300))
def test_lines_are_no_wider_than_a_terminal_unless_a_word_is(reason: str) -> None:
    lines = [
        line
        for part in info_lines({**EMPTY, "auto": {"name": "auto", "reason": reason}})
        for line in part.split("\n")
    ]
    longest_word = max(map(len, reason.split()), default=0)
    assert all(len(line) <= max(110, 8 + longest_word) for line in lines)
    assert "".join(reason.split()) in "".join("".join(lines).split())
