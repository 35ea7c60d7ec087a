"""`pytest bench/`: which micro-benchmarks there are, and that they run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from alrakis.config import PRECISIONS

ROOT = Path(__file__).parents[3]
VARIANTS = [f"{backend}-{precision}" for backend, several in PRECISIONS.items() for precision in several]
PARTS = {"test_prefill", "test_fine_pass", "test_codec_decode", "test_embedding_gather", "test_draw"}


def pytest_bench(*arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "bench/", "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # tiny networks prefer it
    for name in [name for name in environment if name.startswith("PYTEST_XDIST")]:
        del environment[name]  # these tests may run side by side, what they time does not
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_part_is_there_for_every_backend_and_precision() -> None:
    found = re.findall(
        r"^bench/micro/test_micro\.py::(\S+)$", pytest_bench("--collect-only", "-q"), re.MULTILINE
    )
    expected = {f"{part}[{variant}]" for part in PARTS for variant in VARIANTS}
    expected |= {f"test_decode_step[{variant}-{rows}]" for variant in VARIANTS for rows in (1, 4)}
    assert sorted(found) == sorted({*expected, "test_noise"})


def test_they_run_and_their_times_can_be_stored(tmp_path: Path) -> None:
    times = tmp_path / "times.json"
    which = "onnx-int8 or torch-fp32 or noise"
    quick = ["--benchmark-max-time=0.01", "--benchmark-min-rounds=1", "--benchmark-warmup=off"]
    said = pytest_bench("--size", "tiny", "-k", which, *quick, f"--benchmark-json={times}")
    assert "15 passed" in said
    medians = {one["fullname"]: one["stats"]["median"] for one in json.loads(times.read_text())["benchmarks"]}
    assert len(medians) == 15
    assert min(medians.values()) > 0
