"""Lines of JSON, without what was said."""

import json
import logging
from typing import Any

from alrakis.serve.logs import Log, Logging


def lines_of(text: bool, say: Any) -> list[dict[str, Any]]:
    lines: list[str] = []
    with Logging(Log(text=text, failed=lambda: None, write=lines.append)):
        say()
    assert all("\n" not in line for line in lines)
    return [json.loads(line) for line in lines]


def warn() -> None:
    logging.getLogger("alrakis").warning("no audio for %r", "a secret")


def test_messages_of_the_engine_are_told_without_what_fills_them() -> None:
    (line,) = lines_of(False, warn)
    assert line["message"] == "no audio for %r"
    (line,) = lines_of(True, warn)
    assert line["message"] == "no audio for 'a secret'"


def test_a_message_that_is_all_filling_says_where_it_is_from() -> None:
    def remark() -> None:
        logging.getLogger("alrakis").warning("%s", "a secret")

    (line,) = lines_of(False, remark)
    assert line["message"] == "test_logs says what may be of a text: --log-text shows it"
    (line,) = lines_of(True, remark)
    assert line["message"] == "a secret"


def test_errors_have_their_trace_in_the_line() -> None:
    def fail() -> None:
        try:
            raise ZeroDivisionError("here")
        except ZeroDivisionError:
            logging.getLogger("uvicorn.error").exception("Exception in %s", "it")

    (line,) = lines_of(False, fail)
    assert line["message"] == "Exception in it"
    assert "ZeroDivisionError: here" in line["trace"]


def test_loggers_are_as_before() -> None:
    logger = logging.getLogger("alrakis")
    before = logger.handlers[:], logger.level, logger.propagate
    lines_of(False, warn)
    assert (logger.handlers, logger.level, logger.propagate) == before


def test_a_full_disk_is_counted_and_ends_nothing() -> None:
    failures: list[int] = []

    def full(line: str) -> None:
        raise OSError(28, "No space left on device")

    log = Log(text=False, failed=lambda: failures.append(1), write=full)
    log.line("request", id="x", nothing=None)
    with Logging(log):
        warn()
    assert failures == [1, 1]
