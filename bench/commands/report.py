"""`alrakis-bench report`: makes one HTML page of result files."""

import argparse
import logging

from alrakis.cli.arguments import given

NAME = "report"
SUMMARY = "make one HTML page of result files"
DESCRIPTION = """\
Make one HTML page of result files: RTF, stages and memory by target, the machines, and every chart's figures
as a table. The page needs nothing else, not even a network. Workloads are never mixed: each has charts of its
own."""
EXAMPLES = """\
examples:
  alrakis-bench report mine.json -o report.html
  alrakis-bench report laptop.json server.json -o both.html"""

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", type=given, metavar="FILE", nargs="+", help="result files of `alrakis-bench run`"
    )
    parser.add_argument(
        "-o", "--output", type=given, metavar="FILE", default="report.html", help="default: report.html"
    )


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.record.report import write_report
    from alrakis.bench.record.runs import load_runs
    from alrakis.files.writing import check_writable, replace_file

    check_writable(args.output)
    page = write_report(load_runs(args.files))
    logger.info("wrote %s", replace_file(args.output, page.encode("utf-8", "replace")))
