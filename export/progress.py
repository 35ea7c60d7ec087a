"""What a person sees while something is exported: a bar, and lines on standard error."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

logger = logging.getLogger("alrakis")


def tell(message: str) -> None:
    """Say something worth knowing: to the log, or on standard error where nobody has set up logging.

    An export takes its time and fills a disk: that is told without being asked, and is no warning.
    """
    if logger.hasHandlers():
        logger.info(message)
    else:
        print(f"alrakis: {message}", file=sys.stderr, flush=True)


@contextmanager
def export_bar(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """A bar over some units, counted up by the function it gives.

    Nothing is shown unless standard error is a terminal, nor where the log has been told to be quiet.
    """
    quiet = logger.level > logging.INFO  # as `alrakis say --quiet` sets it
    bar = tqdm(
        total=total,
        desc=what,
        disable=quiet or not sys.stderr.isatty(),
        unit=unit,
        unit_scale=True,
        leave=False,
    )
    try:
        yield lambda count: _move(bar, count)
    finally:
        bar.close()


def _move(bar: "tqdm[object]", count: int) -> None:
    bar.update(count)
