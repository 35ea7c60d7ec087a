"""What Ray costs on one machine: the same batch without it and with it, in turn."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WAYS: dict[str, list[str]] = {"alone": [], "ray": ["--ray", "local"]}


@dataclass(frozen=True)
class Ran:
    """A batch: how many rows it wrote, the first and the last of them when, and when it ended.

    In seconds from the start of its process.
    """

    rows: int
    first_s: float
    last_s: float
    all_s: float

    @property
    def row_s(self) -> float:
        """How long a row takes, once they come."""
        return (self.last_s - self.first_s) / (self.rows - 1)


def compare(texts: Sequence[str], turns: int, folder: Path) -> None:
    """Run both ways in turn, and print what each run took and what they come to."""
    (folder / "texts.txt").write_text("\n".join(texts))
    ran: dict[str, list[Ran]] = {name: [] for name in WAYS}
    for turn in range(turns):
        for name in sorted(WAYS, reverse=turn % 2 == 1):  # who is second has a warmer machine
            ran[name].append(_run(folder, f"{name}{turn}", WAYS[name]))
            print(f"{turn} {name:5} {_told(ran[name][-1])}", flush=True)
    print(summary(*ran.values()))


def summary(alone: Sequence[Ran], ray: Sequence[Ran]) -> str:
    """What Ray adds, by the middle of the turns: once, and for each row."""
    start_s = _middle([run.first_s for run in ray]) - _middle([run.first_s for run in alone])
    row, row_alone = _middle([run.row_s for run in ray]), _middle([run.row_s for run in alone])
    end_s = _middle([run.all_s - run.last_s for run in ray])
    return (
        f"Ray: the first row {start_s:+.1f} s, then {row / row_alone - 1:+.1%} a row "
        f"({row_alone * 1000:.0f} and {row * 1000:.0f} ms), and {end_s:.1f} s at the end"
    )


def _told(run: Ran) -> str:
    return f"first row after {run.first_s:.1f} s, {run.rows} after {run.last_s:.1f}, end {run.all_s:.1f}"


def _middle(figures: Sequence[float]) -> float:
    return statistics.median(figures)


def _run(folder: Path, out: str, more: Sequence[str]) -> Ran:
    """A batch in a process of its own, which tells each row when it is written."""
    command = [sys.executable, "-m", "alrakis", "batch", "texts.txt", "-o", out, "--weights", "demo"]
    command += ["--config", "cpu-int8", "--seed", "7", "--json", "--quiet", *more]
    began_s = time.perf_counter()
    came_s = []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            came_s.append(time.perf_counter() - began_s)
            assert json.loads(line)["state"] == "done", line
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Ran(len(came_s), came_s[0], came_s[-1], time.perf_counter() - began_s)
