"""The server's log: a line of JSON for each request and each message, on standard error.

What was said is not written unless it is asked for: not by us, and not by what the engine warns of.
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from alrakis.files.printable import printable

LOGGERS = ("alrakis", "uvicorn.error", "asyncio")
Write = Callable[[str], None]


def to_stderr(line: str) -> None:
    """Write a line on standard error. Raises OSError or ValueError if that cannot be."""
    if sys.stderr is None:
        raise ValueError("standard error is closed")
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class Log:
    """Lines of JSON. A line that cannot be written is counted and forgotten: the server goes on."""

    def __init__(self, *, text: bool, failed: Callable[[], None], write: Write = to_stderr) -> None:
        self.text = text
        self._failed = failed
        self._write = write

    def line(self, event: str, **fields: Any) -> None:
        """Write an event with its fields; those that are None are left out."""
        told = {"time": _now(), "event": event, **{k: v for k, v in fields.items() if v is not None}}
        try:
            self._write(json.dumps(told, default=printable))
        except (OSError, ValueError):
            self._failed()


class LogHandler(logging.Handler):
    """Messages of loggers as lines of a log."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        # what the engine fills into its messages may be a part of a text
        own = record.name.startswith("alrakis") and record.args and not self._log.text
        message = _without_words(record) if own else record.getMessage()
        trace = None
        if record.exc_info and record.exc_info[0] is not None:
            trace = logging.Formatter().formatException(record.exc_info)
        level = record.levelname.lower()
        self._log.line("message", level=level, logger=record.name, message=message, trace=trace)


def _without_words(record: logging.LogRecord) -> str:
    """A message's form; of one that is nothing but what fills it, where it comes from."""
    form = str(record.msg)
    return form if form != "%s" else f"{record.module} says what may be of a text: --log-text shows it"


class Logging:
    """Within the block, loggers write into a log, and nowhere else."""

    def __init__(self, log: Log) -> None:
        self._handler = LogHandler(log)
        self._before: list[tuple[logging.Logger, list[logging.Handler], bool, int]] = []

    def __enter__(self) -> None:
        for name in LOGGERS:
            logger = logging.getLogger(name)
            self._before.append((logger, logger.handlers[:], logger.propagate, logger.level))
            logger.handlers[:] = [self._handler]
            logger.propagate = False
            logger.setLevel(logging.WARNING)

    def __exit__(self, *error: object) -> None:
        for logger, handlers, propagate, level in self._before:
            logger.handlers[:] = handlers
            logger.propagate = propagate
            logger.setLevel(level)


def _now() -> str:
    seconds = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{int(seconds % 1 * 1000):03d}Z"
