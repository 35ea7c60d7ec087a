"""`alrakis-bench results`: makes the pages of a folder of result files."""

import argparse
import logging
from pathlib import Path

from alrakis.cli.arguments import given

NAME = "results"
SUMMARY = "make README.md and the page of a folder of result files"
DESCRIPTION = """\
Read every result file of a folder, and write README.md and index.html there: a table of all machines, and one
page with everything that was measured. With --evidence also the table that `auto` goes by, which ships with
alrakis."""
EXAMPLES = """\
examples:
  alrakis-bench results bench/results"""

logger = logging.getLogger("alrakis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=given, metavar="DIR", nargs="?", default="bench/results", help="default: bench/results"
    )
    parser.add_argument(
        "--evidence",
        type=given,
        metavar="FILE",
        help="also write what was fastest on which kind of processor",
    )


def run(args: argparse.Namespace) -> None:
    from alrakis.bench.record.evidence import evidence_of
    from alrakis.bench.record.gallery import gallery, load_folder
    from alrakis.files.writing import check_writable, replace_file

    folder = Path(args.folder)
    runs = load_folder(folder)
    texts = {folder / name: text for name, text in gallery(runs).items()}
    if args.evidence is not None:
        texts[Path(args.evidence)] = evidence_of(runs)
    for path in texts:
        check_writable(path)
    for path, text in texts.items():
        logger.info("wrote %s", replace_file(path, text.encode("utf-8", "replace")))
