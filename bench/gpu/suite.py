"""The tests that need a GPU, where the project's tests are at hand."""

import functools
import subprocess
import sys
from pathlib import Path

from alrakis.bench.gpu.figures import Figures, Values

TESTS = Path("tests/backends/torch")  # in a checkout


def measure(figures: Figures) -> None:
    figures.measure("pytest -m gpu", functools.partial(_run, figures), 10.0 if figures.options.cuda else 0.0)


def _run(figures: Figures) -> Values:
    if not figures.options.cuda:
        return {"summary": "left out: they need a CUDA device"}
    if not TESTS.is_dir():
        return {"summary": f"left out: no {TESTS} here"}
    log = figures.options.out / "pytest.log"
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "-p", "no:cacheprovider", str(TESTS)]
    code: int | str
    with log.open("w", encoding="utf-8") as out:
        try:
            left_s = figures.left_s
            code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, timeout=left_s).returncode
        except subprocess.TimeoutExpired:
            code = "stopped, the time was over"
    lines = log.read_text("utf-8").splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return {"code": code, "summary": f"{lines[-1] if lines else ''} ({code})", "failed": failed}
