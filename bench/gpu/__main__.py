"""`python -m alrakis.bench.gpu`: everything there is to know of one GPU, within a budget of seconds.

Each part is a process of its own, so that a crash or a lost device costs one part; each writes its figures as
they come. What a part leaves of its time goes to those after it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alrakis.bench.gpu import machine, parity, steps, suite, traced, whole
from alrakis.bench.gpu.figures import Figures, Options
from alrakis.bench.gpu.table import table
from alrakis.progress import working

BUDGET_S = 480.0
LEAST_S = 5.0  # with less a part is not begun
GRACE_S = 20.0  # beyond its time, in which a part may finish what it is at

Part = Callable[[Figures], None]
PARTS: dict[str, Part] = {
    "machine": machine.measure,
    "parity": parity.measure,
    "whole": whole.measure,
    "peers": whole.peers,
    "steps": steps.measure,
    "traced": traced.measure,
    "suite": suite.measure,
    "compiled": steps.compiled,
}


@dataclass(frozen=True)
class Turn:
    """A part with one size of weights, and the share of the budget that it may take at most."""

    part: str
    size: str
    share: float


# what matters most comes first
PLAN = (
    Turn("machine", "small", 0.06),
    Turn("parity", "small", 0.16),
    Turn("whole", "small", 0.18),
    Turn("peers", "small", 0.16),
    Turn("whole", "large", 0.18),
    Turn("steps", "small", 0.14),
    Turn("traced", "small", 0.06),
    Turn("peers", "large", 0.12),
    Turn("suite", "small", 0.12),
    Turn("steps", "large", 0.10),
    Turn("compiled", "small", 0.15),
)


def plan(size: str | None) -> list[Turn]:
    """What is measured: both sizes, or only one, which may be tiny."""
    if size is None:
        return list(PLAN)
    turns = {turn.part: Turn(turn.part, size, turn.share) for turn in reversed(PLAN)}
    return [turns[part] for part in dict.fromkeys(turn.part for turn in PLAN)]


def run(options: argparse.Namespace) -> None:
    """Measure all parts in turn, then print and write the table."""
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    ends = time.perf_counter() + options.budget_s
    for turn in plan(options.size):
        seconds = min(turn.share * options.budget_s, ends - time.perf_counter() - LEAST_S)
        if seconds < LEAST_S * min(1.0, options.budget_s / BUDGET_S):
            print(f"{turn.part} {turn.size}: left out, the time is over", file=sys.stderr)
            continue
        began = time.perf_counter()
        with working(f"{turn.part} {turn.size}"):
            code = _process(turn, options, seconds)
        took_s = time.perf_counter() - began
        print(f"{turn.part} {turn.size}: {code}, {took_s:.0f} s", file=sys.stderr, flush=True)
        _write_table(out)
    print(_write_table(out), end="")


def _process(turn: Turn, options: argparse.Namespace, seconds: float) -> str:
    command = [sys.executable, "-m", "alrakis.bench.gpu", "--part", turn.part, "--size", turn.size]
    command += ["--device", options.device, "--out", options.out, "--budget-s", f"{seconds:.1f}"]
    with (Path(options.out) / f"{turn.part}-{turn.size}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(seconds + GRACE_S)
        except subprocess.TimeoutExpired:
            _kill(process)
            return "stopped"
        except BaseException:
            _kill(process)
            raise
    return "done" if code == 0 else f"exit code {code}"


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a part and what it has started: tests, compilers."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _write_table(out: Path) -> str:
    """The table of what has been measured so far, which all.json holds."""
    parts = [json.loads(path.read_text("utf-8")) for path in sorted(out.glob("*-*.json"))]
    (out / "all.json").write_text(json.dumps(parts, indent=1), "utf-8")
    text = table(parts)
    (out / "table.md").write_text(text, "utf-8")
    return text


def make_parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m alrakis.bench.gpu", description="Measure alrakis on one GPU, within a budget of time."
    )
    parser.add_argument("--device", default="cuda:0", help="cuda:N, or cpu to try this (default: cuda:0)")
    parser.add_argument("--size", choices=["tiny", "small", "large"], help="default: small and large")
    parser.add_argument("--budget-s", type=float, default=BUDGET_S, help=f"default: {BUDGET_S:g}")
    parser.add_argument("--out", default="out/gpu", help="a folder for the results (default: out/gpu)")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    if options.part is None:
        run(options)
        return
    own = Options(options.device, options.size or "small", Path(options.out), options.budget_s)
    PARTS[options.part](Figures(options.part, own))


if __name__ == "__main__":
    main()
