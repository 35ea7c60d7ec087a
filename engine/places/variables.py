"""alrakis' own variables of the environment. One that nothing reads is told: it was meant for something."""

import logging
import os
from collections.abc import Iterator

from alrakis.errors import nearest

PREFIX = "ALRAKIS_"
OWN = ("ALRAKIS_CACHE", "ALRAKIS_DEBUG", "ALRAKIS_SUNO_CACHE", "ALRAKIS_BENCH_BYTES")
_SETTINGS = """
    host port weights config overrides api_key api_key_file open cors aliases listen wyoming max_text_chars
    max_body_bytes max_queued_s max_connections timeout_s read_s stall_s grace_s log_text
"""
SERVER = tuple(f"{PREFIX}{name.upper()}" for name in _SETTINGS.split())  # may be in small letters, too

logger = logging.getLogger("alrakis")


def warn_of_unread() -> None:
    """Warn of each variable that begins like ours and that nothing reads, with the one that may be meant."""
    for name in unread():
        hint = nearest(name.upper(), [*OWN, *SERVER], PREFIX)
        logger.warning("nothing reads the variable %s%s", name, hint)


def unread() -> Iterator[str]:
    """The variables that begin like ours and that nothing reads."""
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name not in OWN and name.upper() not in SERVER:
            yield name
