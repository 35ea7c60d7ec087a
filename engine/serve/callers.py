"""Whose pages may call a server that asks nobody for a key and that only this machine can reach.

A browser lets any page send to this machine, and read what comes back if the page's own name has come to mean
this machine (DNS rebinding). Both show: in the name that the server is called by, and in the page's origin.
"""

import ipaddress
from urllib.parse import urlsplit

from alrakis.serve.problems import ApiError
from alrakis.serve.settings import Settings

SAFE = {"GET", "HEAD", "OPTIONS"}  # what a page cannot read harms nobody


def check_caller(method: str, headers: dict[str, str], settings: Settings) -> None:
    """Raises ApiError for another name than this machine's, or for a page of another origin that sends.

    With a key, or open to all, a server may be called by any name, and from any page.
    """
    if not settings.loopback or settings.keys or settings.open:
        return
    called = headers.get("host")
    if called is not None and not _of_this_machine(called, settings.host):
        raise ApiError(
            421,
            f"this server is not called {called!r:.100}: without a key only this machine may use it, by "
            "localhost or 127.0.0.1; where it stands behind another name, start it with --api-key, or with "
            "--open",
            code="host_not_allowed",
        )
    origin = headers.get("origin")
    allowed = {"*", origin} & set(settings.origins)
    if origin is not None and method not in SAFE and not allowed and not _same(origin, called):
        raise ApiError(
            403,
            f"pages of {origin!r:.100} may not use this server: start it with --cors and this origin if "
            "they may",
            code="origin_not_allowed",
        )


def _of_this_machine(called: str, own: str) -> bool:
    """Whether a Host header names this machine. own: the name that the server listens on."""
    name = _name_in(called)
    if name in ("localhost", own.lower()):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name_in(called: str) -> str:
    """The name in a Host header; "" where that is none, or its port is no number."""
    try:
        parts = urlsplit(f"//{called}")
        return (parts.hostname or "").removesuffix(".") if parts.port != 0 else ""
    except ValueError:
        return ""


def _same(origin: str, called: str | None) -> bool:
    """Whether a page comes from this server, by the name and port that it called."""
    scheme, _, place = origin.partition("://")
    return scheme in ("http", "https") and called is not None and place.lower() == called.lower()
